#!/usr/bin/perl
# Launcher of psql for pg_regress: what PostgreSQL's releases show otherwise is printed in one way, mostly that of 15, so that
# one expected output serves all. usage: psql.pl PSQL ARGUMENT...
use strict;
use warnings;

# How a line of a plan is printed; nothing if it is left out. Results of initial plans have numbers until 16, which this hash
# has names for.
sub plan_line
{
	my ($line, $result) = @_;

	# 18: buffers without being asked for, and some more facts
	return () if $line =~ /^ *(Planning:|Buffers: .*|Index Searches: \d+|Disabled: \w+|"Disabled": \w+,?|Window: w\d+ AS .*)$/;
	# 18: rows with decimals
	$line =~ s/(actual (?:time=\S+ )?rows=)(\d+\.\d\d)(?= loops)/$1 . sprintf('%.0f', $2)/e;
	$line =~ s/^( *InitPlan \d+) \(returns [^)]*\)$/$1/;
	$line =~ s/(\$\d+)/$result->{$1} \/\/ $1/ge;
	return $line;
}

# Prints a plan as psql aligns it, given the lines below its head; the number of rows it has then.
sub print_plan
{
	my (@lines) = @_;
	my $wrapped = grep { /\+$/ } @lines;
	my @plan;
	my $width = length 'QUERY PLAN';
	my %result;

	foreach my $line (@lines)
	{
		my ($number, $list) = $line =~ /^ *InitPlan (\d+) \(returns (.*)\)/ or next;
		my @column = split /,/, $list;

		$result{ $column[ $_ - 1 ] } = "(InitPlan $number).col$_" foreach 1 .. @column;
	}
	foreach my $line (@lines)
	{
		$line =~ s/^ //;
		$line =~ s/ *\+$// if $wrapped;
		push @plan, plan_line($line, \%result);
	}
	foreach my $line (@plan) { $width = length $line if $width < length $line; }
	my $left = int(($width - length 'QUERY PLAN') / 2);
	print ' ' x ($left + 1), 'QUERY PLAN', ' ' x ($width - $left - length('QUERY PLAN') + 1), "\n", '-' x ($width + 2), "\n";
	foreach my $i (0 .. $#plan)
	{
		print ' ', $wrapped && $i < $#plan ? sprintf("%-*s+\n", $width, $plan[$i]) : "$plan[$i]\n";
	}
	return $wrapped ? 1 : scalar @plan;
}

my $pid = open(my $psql, '-|') // die "psql.pl: $!\n";
if (!$pid)
{
	open(STDERR, '>&', \*STDOUT) or die "psql.pl: $!\n";
	exec @ARGV;
	die "psql.pl: $ARGV[0]: $!\n";
}
binmode($psql, ':encoding(UTF-8)');
binmode(STDOUT, ':encoding(UTF-8)');
$| = 1;
while (my $line = <$psql>)
{
	if ($line =~ /^ *QUERY PLAN *$/)
	{
		my @plan;

		<$psql>;
		while (defined($line = <$psql>) && $line =~ /^ /)
		{
			chomp $line;
			push @plan, $line;
		}
		my $rows = print_plan(@plan);
		$line = $rows == 1 ? "(1 row)\n" : "($rows rows)\n";
	}
	# 17: names the server
	$line =~ s/^(ERROR:  user mapping not found for )user ("[^"]*"), server ".*"$/$1$2/;
	# 18: ANALYZE VERBOSE counts for every table
	next if $line =~ /^(INFO:  finished analyzing table |avg read rate: |buffer usage: |WAL usage: |system usage: |I\/O timings: )/;
	print $line;
}
close $psql;
exit($? >> 8 || ($? ? 1 : 0));
