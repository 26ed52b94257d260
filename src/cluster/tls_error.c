/*
 * tls_error.c
 *		What went wrong with TLS, in words: certificates, alerts of the node, answers that are no TLS.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls_error.h"

#define HINT_CA \
	"Name the file with the certificate of the cluster's authority by the connection string option \"truststorepath\"."
#define HINT_NAME \
	"Use one of the certificate's names in the connection string; or, when the name is one that the cluster reports, " \
	"choose other addresses by its option \"network\"."
#define HINT_TIME \
	"The certificate has to be renewed on the cluster; or the clock of the database server is wrong."
#define HINT_PORT \
	"The data service has port 11207 for TLS and port 11210 for plain text (couchbase://)."
#define HINT_CLIENT \
	"Check client certificate and key, and which authorities and users the cluster takes client certificates of."
#define HINT_VERSION \
	"TLS 1.2 and 1.3 are offered; with the connection string option \"tls_disable_v1_2\" only TLS 1.3."

void
tls_failure(SockFailure *failure, int sqlstate, const char *hint, const char *format,...)
{
	va_list		args;

	failure->sqlstate = sqlstate;
	failure->fatal = false;
	failure->hint = hint;
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
}

/* ---- certificates ---- */

static void
time_text(const ASN1_TIME *when, char *text, size_t size)
{
	struct tm	tm;

	if (when == NULL || ASN1_TIME_to_tm(when, &tm) != 1)
		strlcpy(text, "an unknown time", size);
	else
		snprintf(text, size, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
				 tm.tm_hour, tm.tm_min);
}

static void
name_text(const X509_NAME *name, char *text, size_t size)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	int			n = -1;

	if (bio != NULL && name != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) > 0)
		n = BIO_read(bio, text, (int) size - 1);
	text[Max(n, 0)] = '\0';
	BIO_free(bio);
}

/* Adds one subject alternative name to the list in text. */
static void
add_alternative(const GENERAL_NAME *name, char *text, size_t size)
{
	char		address[INET6_ADDRSTRLEN] = "";
	size_t		len = strlen(text);
	const char *comma = len > 0 ? ", " : "";

	if (name->type == GEN_DNS)
		snprintf(text + len, size - len, "%s%.*s", comma, ASN1_STRING_length(name->d.dNSName),
				 (const char *) ASN1_STRING_get0_data(name->d.dNSName));
	else if (name->type == GEN_IPADD)
	{
		const unsigned char *data = ASN1_STRING_get0_data(name->d.iPAddress);
		int			bytes = ASN1_STRING_length(name->d.iPAddress);

		if (bytes == 4 || bytes == 16)
			(void) inet_ntop(bytes == 4 ? AF_INET : AF_INET6, data, address, sizeof(address));
		if (address[0] != '\0')
			snprintf(text + len, size - len, "%s%s", comma, address);
	}
}

/* The names a certificate is for. */
static void
alternatives_text(X509 *cert, char *text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	text[0] = '\0';
	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++)
		add_alternative(sk_GENERAL_NAME_value(names, i), text, size);
	if (text[0] == '\0')
		name_text(X509_get_subject_name(cert), text, size);
	GENERAL_NAMES_free(names);
}

static void
explain_time(SockFailure *failure, bool expired, const char *whose, X509 *cert)
{
	char		when[64];

	time_text(expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert), when, sizeof(when));
	tls_failure(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, HINT_TIME,
				expired ? "the certificate of %s expired at %s" : "the certificate of %s is not valid before %s",
				whose, when);
}

void
tls_explain_certificate(SockFailure *failure, int error, int depth, X509 *cert, const char *host)
{
	const int	sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
	char		whose[192] = "the node";
	char		names[192] = "";

	if (cert != NULL && depth > 0)
	{
		name_text(X509_get_subject_name(cert), names, sizeof(names));
		snprintf(whose, sizeof(whose), "the authority \"%s\"", names);
	}
	switch (error)
	{
		case X509_V_ERR_CERT_HAS_EXPIRED:
		case X509_V_ERR_CERT_NOT_YET_VALID:
			if (cert != NULL)
			{
				explain_time(failure, error == X509_V_ERR_CERT_HAS_EXPIRED, whose, cert);
				return;
			}
			break;
		case X509_V_ERR_HOSTNAME_MISMATCH:
		case X509_V_ERR_IP_ADDRESS_MISMATCH:
			if (cert != NULL)
				alternatives_text(cert, names, sizeof(names));
			tls_failure(failure, sqlstate, HINT_NAME, "the certificate of the node is not for \"%s\", but for: %s",
						host, names);
			return;
		case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
			tls_failure(failure, sqlstate, HINT_CA, "the certificate of the node is self-signed and not trusted");
			return;
		case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
			if (cert != NULL)
				name_text(X509_get_issuer_name(cert), names, sizeof(names));
			tls_failure(failure, sqlstate, HINT_CA,
						"the certificate of the node comes from an authority that is not trusted: %s", names);
			return;
		default:
			break;
	}
	tls_failure(failure, sqlstate, NULL, "the certificate of %s cannot be verified: %s", whose,
				X509_verify_cert_error_string(error));
}

/* ---- the error queue ---- */

static const struct
{
	int			reason;			/* SSL_R_... */
	int			sqlstate;
	const char *text;
	const char *hint;
}			reasons[] =
{
	{SSL_R_WRONG_VERSION_NUMBER, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"what listens there does not speak TLS", HINT_PORT},
	{SSL_R_HTTP_REQUEST, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"what listens there does not speak TLS", HINT_PORT},
	{SSL_R_PACKET_LENGTH_TOO_LONG, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"what listens there does not speak TLS", HINT_PORT},
	{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: it is not valid", HINT_CLIENT},
	{SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: it is of a kind that is not supported", HINT_CLIENT},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: it was revoked", HINT_CLIENT},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: it has expired", HINT_CLIENT},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate", HINT_CLIENT},
	{SSL_R_TLSV1_ALERT_UNKNOWN_CA, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: it does not trust the authority that issued it", HINT_CLIENT},
	{SSL_R_TLSV1_ALERT_ACCESS_DENIED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node refused the client certificate: access denied", HINT_CLIENT},
	{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
	"the node wants a client certificate",
	"Give certificate and key in the user mapping (options \"sslcert\" and \"sslkey\")."},
	{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"the node refused the TLS handshake",
	"It may want a client certificate, or accept none of the ciphers that are offered."},
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"the node accepts none of the TLS versions that are offered", HINT_VERSION},
	{SSL_R_UNSUPPORTED_PROTOCOL, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"the node accepts none of the TLS versions that are offered", HINT_VERSION},
	{SSL_R_NO_PROTOCOLS_AVAILABLE, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"no TLS version is left that may be used",
	"The configuration file of OpenSSL on the database server leaves neither TLS 1.3 nor, unless it is switched off, "
	"TLS 1.2."},
	{SSL_R_TLSV1_UNRECOGNIZED_NAME, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
	"the node does not know the host name that it is asked for", HINT_NAME}
};

void
tls_explain_error(SockFailure *failure, unsigned long code)
{
	const char *text = ERR_reason_error_string(code);

	for (int i = 0; ERR_GET_LIB(code) == ERR_LIB_SSL && i < lengthof(reasons); i++)
	{
		if (reasons[i].reason == ERR_GET_REASON(code))
		{
			tls_failure(failure, reasons[i].sqlstate, reasons[i].hint, "%s", reasons[i].text);
			return;
		}
	}
	tls_failure(failure, ERRCODE_PROTOCOL_VIOLATION, NULL, "TLS failed: %s", text ? text : "unknown reason");
}
