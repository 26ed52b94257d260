/*
 * address.c
 *		Checks of host names and IP addresses.
 */
#include "address.h"

#include <string.h>

#define NAME_MAX_LENGTH		253
#define LABEL_MAX_LENGTH	63

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
cb_is_ipv4(CbSpan text)
{
	size_t		i = 0;

	for (int part = 0; part < 4; part++)
	{
		size_t		start;
		unsigned	value = 0;

		if (part > 0 && (i >= text.len || text.data[i++] != '.'))
			return false;
		start = i;
		while (i < text.len && is_digit(text.data[i]) && i - start < 3)
			value = value * 10 + (unsigned) (text.data[i++] - '0');
		if (i == start || value > 255 || (text.data[start] == '0' && i - start > 1))
			return false;
	}
	return i == text.len;
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
cb_is_ipv6(CbSpan text)
{
	size_t		i = 0;
	int			groups = 0;
	bool		gap = false;

	if (text.len >= 2 && text.data[0] == ':' && text.data[1] == ':')
	{
		gap = true;
		i = 2;
	}
	while (i < text.len)
	{
		size_t		start = i;

		while (i < text.len && is_hex(text.data[i]) && i - start < 5)
			i++;
		if (i < text.len && text.data[i] == '.')
			return cb_is_ipv4(cb_span(text.data + start, text.len - start)) &&
				(gap ? groups <= 5 : groups == 6);
		if (i == start || i - start > 4)
			return false;
		groups++;
		if (i == text.len)
			break;
		if (text.data[i++] != ':' || i == text.len)
			return false;
		if (text.data[i] == ':')
		{
			if (gap)
				return false;
			gap = true;
			i++;
		}
	}
	return gap ? groups <= 7 : groups == 8;
}

/* A port, 1 to 65535, or nothing at all. */
static bool
is_port_or_empty(CbSpan text)
{
	unsigned	port = 0;

	if (text.len == 0)
		return true;
	if (text.data[0] != ':' || text.len < 2 || text.len > 6)
		return false;
	for (size_t i = 1; i < text.len; i++)
	{
		if (!is_digit(text.data[i]))
			return false;
		port = port * 10 + (unsigned) (text.data[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

static bool
is_address_with_port(CbSpan text)
{
	const uint8_t *end;
	size_t		len;

	if (cb_is_ipv6(text))
		return true;
	if (text.len > 0 && text.data[0] == '[')
	{
		end = memchr(text.data, ']', text.len);
		len = end == NULL ? 0 : (size_t) (end - text.data);
		return end != NULL && cb_is_ipv6(cb_span(text.data + 1, len - 1)) &&
			is_port_or_empty(cb_span(end + 1, text.len - len - 1));
	}
	end = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	len = end == NULL ? text.len : (size_t) (end - text.data);
	return cb_is_ipv4(cb_span(text.data, len)) &&
		is_port_or_empty(cb_span(text.data + len, text.len - len));
}

bool
cb_is_address_list(CbSpan text)
{
	for (size_t start = 0, i = 0; i <= text.len; i++)
	{
		if (i < text.len && text.data[i] != ',')
			continue;
		if (!is_address_with_port(cb_span(text.data + start, i - start)))
			return false;
		start = i + 1;
	}
	return true;
}

/* What is wrong with one label; last: no dot follows it. */
static const char *
label_problem(CbSpan label, bool last)
{
	bool		numeric = true;

	if (label.len == 0)
		return "has an empty part";
	if (label.len > LABEL_MAX_LENGTH)
		return "has a part of more than 63 characters";
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return "has a part that begins or ends with \"-\"";
	for (size_t i = 0; i < label.len; i++)
		numeric &= is_digit(label.data[i]);
	if (last && numeric)
		return "is not a valid IPv4 address";
	return NULL;
}

const char *
cb_host_name_problem(CbSpan text)
{
	size_t		start = 0;

	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0)
		return "is empty";
	if (text.len > NAME_MAX_LENGTH)
		return "is longer than 253 characters";
	for (size_t i = 0; i < text.len; i++)
	{
		uint8_t		c = text.data[i];

		if (c >= 0x80)
			return "has characters outside ASCII; write it in its xn-- form";
		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
			c != '-' && c != '_' && c != '.')
			return "has illegal characters; letters, digits, \"-\", \"_\" and \".\" are expected";
	}
	for (size_t i = 0; i <= text.len; i++)
	{
		if (i == text.len || text.data[i] == '.')
		{
			const char *problem = label_problem(cb_span(text.data + start, i - start),
												i == text.len);

			if (problem != NULL)
				return problem;
			start = i + 1;
		}
	}
	return NULL;
}
