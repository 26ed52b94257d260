# Options of connection strings: the tables of the README are those of the library; what is refused says why, and nothing
# that is taken is without a place in cbconn_parse().
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 1, '--generate', 'default._default.doc=10');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my $readme = slurp_file("$ENV{CBCONN_TMP}/README.md");

# The cells of the README's table with this head, one list a row.
sub table
{
	my ($head) = @_;
	my ($rows) = $readme =~ /^\Q$head\E\n\|[-|]+\n((?:\|.*\n)+)/m;

	ok(defined $rows, "the README has a table \"$head\"");
	return map { [ map { s/^\s+|\s+$//gr } (split /\|/, $_)[ 1 .. 5 ] ] } split /\n/, $rows // '';
}

sub names { return map { /`([a-z0-9_]+)`/g } @_; }

my @library = map { [ split /\t/, $_, -1 ] } split /\n/, $node->safe_psql('postgres',
	q{SELECT concat_ws(E'\t', name, array_to_string(aliases, ' '), coalesce(unit, ''), coalesce("default", ''),
		coalesce(meaning, ''), coalesce(refused, '')) FROM cbconn_connection_options()});
my @taken = grep { $_->[5] eq '' } @library;
my @refused = grep { $_->[5] ne '' } @library;

my @rows = table('| option | also called | a bare number is in | default | meaning |');
is_deeply([ map { join ' | ', names($_->[0]), join(' ', names($_->[1])), $_->[2], $_->[3] } @rows ],
	[ map { join ' | ', @$_[ 0 .. 3 ] } @taken ], 'name, aliases, unit and default of every option that is taken');
is(scalar(grep { $_->[4] eq '' } @rows), 0, 'all have a meaning');

my %because;
foreach my $row (table('| refused | because |'))
{
	$because{$_} = $row->[1] foreach names($row->[0]);
}
is_deeply(\%because, { map { my $option = $_; map { ($_ => $option->[5]) } $option->[0], split / /, $option->[1] } @refused },
	'every option that is refused, and why');

# A value that such an option could have, other than its default.
sub other_value
{
	my ($option) = @_;
	my (undef, undef, $unit, $default) = @$option;

	return '3s' if $unit ne '';
	return $default eq 'on' ? 'off' : 'on' if $default =~ /^o/;
	return $default =~ /^\d+$/ ? '7' : 'x';
}

foreach my $option (@refused)
{
	foreach my $name ($option->[0], split / /, $option->[1])
	{
		my $value = other_value($option);
		my $stderr;

		foreach my $how ('CREATE SERVER refused FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string %s)',
			'SELECT * FROM cbconn_parse(%s)')
		{
			$node->psql('postgres', sprintf($how, "'couchbase://h?$name=$value'"), stderr => \$stderr);
			like($stderr, qr/ERROR: .*"$name".*\n(?:DETAIL|HINT):  \Q$option->[5]\E/, "$name=$value: refused, and why");
		}
	}
}

# Those that are taken with a value that they could have: nobody says that they are not supported.
foreach my $option (@taken)
{
	foreach my $name ($option->[0], split / /, $option->[1])
	{
		my $value = other_value($option);
		my $stderr;

		$node->psql('postgres', "CREATE SERVER given FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbases://h?" .
			  "$name=$value'); DROP SERVER given", stderr => \$stderr);
		unlike($stderr, qr/not supported|not allowed|no meaning/, "$name=$value: not refused");
	}
}

# Asking for what is done anyway.
my @switches = map { $_->[0] } grep { $_->[3] =~ /^o(?:n|ff)$/ } @refused;
ok((grep { $_ eq 'metrics' } @switches) && (grep { $_ eq 'select_bucket' } @switches), 'the table knows them');
foreach my $option (grep { $_->[3] =~ /^o(?:n|ff)$/ } @refused)
{
	$node->safe_psql('postgres', "CREATE SERVER anyway FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string " .
		  "'couchbase://h?$option->[0]=$option->[3]'); DROP SERVER anyway");
	is($node->safe_psql('postgres', "SELECT count(*) FROM cbconn_parse('couchbase://h?$option->[0]=$option->[3]')" .
			" WHERE name = '$option->[0]'"), '0', "$option->[0]=$option->[3] is taken");
}

is($node->safe_psql('postgres', q{SELECT string_agg(name, ' ') FROM cbconn_parse('couchbase://h') WHERE section = 'option'}),
	join(' ', map { $_->[0] } @taken), 'cbconn_parse() shows all of them');

# ---- dump_configuration

my $log = -s $node->logfile;
my $string = $cluster->connection_string;
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '$string?dump_configuration=on');
	SELECT * FROM cb_doc WHERE id = 'doc-00000001'");
like(slurp_file($node->logfile, $log), qr/LOG:  configuration of bucket "default" on server "cb" is now: \{.*vBucketMap/,
	'dump_configuration writes it to the log');

$node->stop;
done_testing();
