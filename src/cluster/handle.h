/*
 * handle.h
 *		What the files of this folder share: a handle, its node connections, and the operations that use them.
 */
#ifndef CBCONN_HANDLE_H
#define CBCONN_HANDLE_H

#include "cluster.h"
#include "mutate.h"

#include "lib/ilist.h"
#include "../protocol/config.h"
#include "../protocol/kv_scan.h"
#include "../protocol/sasl.h"
#include "../protocol/settings.h"
#include "dns.h"
#include "sock.h"
#include "tls.h"
#include "wait.h"

typedef struct KvConn KvConn;
typedef struct KvOp KvOp;

/* ---- failures (error.c) ---- */

/* Why something did not work: kept until somebody has to tell the user (E2). */
typedef struct KvFailure
{
	int			sqlstate;		/* 0: nothing happened */
	bool		fatal;			/* trying again cannot help */
	const char *step;			/* static: what was being done */
	const char *hint;			/* static: what may help, or NULL */
	char		text[384];		/* the cause: lower case, no full stop, checked for encoding, no secret (E1) */
	char		node[280];		/* host:port, or empty */
} KvFailure;

extern void kv_failure_set(KvFailure *failure, int sqlstate, bool fatal, const char *step, const char *format, ...)
			__attribute__((format(printf, 5, 6)));

/* The failure that an answer's status and JSON body tell. */
extern void kv_failure_status(KvFailure *failure, const KvConn *conn, const char *step, const CbPacket *packet);

/* Whether an error of this SQLSTATE tells of the cluster, and not of this backend or its user. */
extern bool cluster_is_remote(int sqlstate);

/* SQLSTATE for a KV status: the only table of its kind. */
extern int	kv_status_sqlstate(uint16 status);

/* What to do about a status that is not the operation's own business. */
typedef enum KvVerdict
{
	KV_VERDICT_DELIVER,			/* the operation's: success, missing, path errors ... */
	KV_VERDICT_MOVED,			/* wrong node: body may hold a newer config */
	KV_VERDICT_LATER,			/* temporary: again after a while */
	KV_VERDICT_RECONNECT,		/* the connection is of no use any more */
	KV_VERDICT_COLLECTION,		/* the collection's id is not valid any more */
	KV_VERDICT_FAIL
} KvVerdict;

/* The same for what became of a write. */
extern int	kv_outcome_sqlstate(KvOutcome outcome, uint16 status);

extern KvVerdict kv_status_verdict(const ClusterHandle *handle, uint16 status);

/* Text in the server's encoding with nothing unprintable, from bytes that are UTF-8 or anything (E1). palloc'd. */
extern char *cluster_printable(const char *bytes, size_t len);

/* Throws what the failure says about an operation. */
extern void cluster_raise(const ClusterHandle *handle, const KvOp *op, const KvFailure *failure)
			pg_attribute_noreturn();
/* timeout: how long was waited, in microseconds */
extern void cluster_raise_timeout(const ClusterHandle *handle, const KvOp *op, int64 timeout)
			pg_attribute_noreturn();

/* ---- node connections (kv_conn.c, kv_handshake.c) ---- */

/* Received bytes; stays as long as an answer points into it. */
typedef struct KvBlock
{
	struct KvBlock *next_free;
	int			refs;
	size_t		capacity;
	size_t		filled;
	uint8	   *data;
} KvBlock;

typedef enum KvConnState
{
	KV_CONN_CLOSED,
	KV_CONN_RESOLVING,
	KV_CONN_CONNECTING,
	KV_CONN_SECURING,			/* TLS handshake */
	KV_CONN_HANDSHAKE,
	KV_CONN_READY
} KvConnState;

/* How the answers to a request are taken. */
typedef enum KvReply
{
	KV_REPLY_FREE,				/* slot not in use */
	KV_REPLY_ONE,				/* one answer */
	KV_REPLY_SCAN,				/* answers until one has another status than 0 */
	KV_REPLY_STAT,				/* answers until one has an empty key or another status than 0 */
	KV_REPLY_HANDSHAKE,			/* kv_handshake.c */
	KV_REPLY_CONFIG,			/* topology.c */
	KV_REPLY_PING,				/* ping.c; item: number of the ping */
	KV_REPLY_COLLECTION			/* collection.c; item: index of the collection */
} KvReply;

/* A request under way. Its opaque is its place in the table and a generation, so that no answer finds a wrong owner. */
typedef struct KvRequest
{
	KvOp	   *op;				/* NULL: nobody's any more, the answer is dropped */
	int			item;
	uint16		generation;
	uint16		vbucket;		/* RANGE_SCAN_CREATE only */
	uint8		opcode;
	uint8		reply;			/* KvReply */
	uint64		end;			/* where its packet ends in all that was written to the connection */
	int			next_free;
} KvRequest;

/* A node and the one connection to it (P2). */
struct KvConn
{
	ClusterHandle *handle;
	char	   *host;			/* as configured, no brackets */
	uint16		port;
	char	   *name;			/* host:port for messages */
	bool		retired;		/* not in the config any more: closed when idle */
	bool		shut;			/* idle.c has shut it down: to be closed before anything else */

	KvConnState state;
	const char *step;			/* static: what it is doing, or did when it failed */
	KvFailure	failure;		/* of the last attempt, until the next one succeeds */
	char		down_step[32];	/* step of a failure that another backend has met */
	int64		started;		/* of the attempt under way */
	bool		answered;		/* the node has said something since */
	int			failures;		/* attempts in a row that failed */
	int64		retry_after;	/* wait_now() before which no new attempt is made */
	int64		deadline;		/* of the attempt under way */

	DnsQuery   *dns;
	SockAddress addresses[DNS_MAX_ADDRESSES];
	int			naddresses;
	int			next_address;
	int64		address_deadline;
	Sock		sock;
	int			first_item;		/* its place among the items of the wait under way */
	int			nitems;
	bool		lost_address;	/* an earlier address of this attempt failed: see failure */

	CbBuf		out;			/* unsent bytes start at out_sent */
	size_t		out_sent;
	uint64		out_base;		/* bytes written to the connection before those in out */
	KvBlock    *in;				/* block being filled; bytes before in_parsed belong to answers given out */
	size_t		in_parsed;

	KvRequest  *requests;
	int			nrequests;		/* size of the table */
	int			free_request;	/* head of the free list, -1: none */
	int64		heard;			/* handle->waited when bytes last came */
	int			outstanding;	/* requests under way, of whomever */
	int			streaming;		/* those of them with several answers */

	/* for cbconn_get_connections(), over all connections to the node */
	TimestampTz connected_at;	/* 0: never */
	TimestampTz last_used_at;
	int64		connects;
	int64		requests_made;
	int64		retries;
	int64		bytes_sent;
	int64		bytes_received;

	/* ping.c */
	int			ping_number;	/* of the last one */
	uint16		ping_status;	/* of its answer */
	int64		ping_answered;	/* when that came; 0: not yet */
	char		version[64];	/* as the node told; empty: not asked */

	/* handshake */
	bool		greeted;		/* HELLO was answered: features counts */
	bool		version_named;	/* in the request for the config */
	CbFeatures	features;
	CbSaslMech	mech;
	CbScram    *scram;
	CbBuf		mechs;			/* the server's list */
	bool		mech_retried;
	bool		no_plain;		/* the node does not take PLAIN */
	bool		authenticated;
	uint8		expected[16];	/* opcodes of the answers to come, in order */
	int			nexpected;
};

extern KvConn *kv_conn_create(ClusterHandle *handle, const char *host, uint16 port);
extern void kv_conn_destroy(KvConn *conn);

/* Starts to connect unless open, under way or to be left alone for now; never waits. */
extern KvConnState kv_conn_want(KvConn *conn);

/* Closes without a word; answers still awaited are reported lost to their operations. */
extern void kv_conn_close(KvConn *conn);

/* The same, and remembers why. */
extern void kv_conn_fail(KvConn *conn, int sqlstate, bool fatal, const char *format,...)
			__attribute__((format(printf, 4, 5)));

/* The same, for a failure with all its members but the node. */
extern void kv_conn_fail_with(KvConn *conn, const KvFailure *failure);

/* One address of the node did not work out: goes on with the next. */
extern void kv_conn_address_failed(KvConn *conn, const KvFailure *failure);

/* Goes on after a wait. ready: of its socket; items: those of its name look-up. */
extern void kv_conn_step(KvConn *conn, uint32 ready, const WaitItem *items, int nitems);

/* Reports the passing of deadlines. */
extern void kv_conn_check_deadline(KvConn *conn, int64 now);
extern int64 kv_conn_deadline(const KvConn *conn);

/* Reads what is there, once; true if anything came. */
extern bool kv_conn_read(KvConn *conn);

/* Sends what can be sent without waiting. */
extern void kv_conn_flush(KvConn *conn);

/* A new request's opaque; the caller then appends its packet to conn->out and reports the builder's result. */
extern uint32 kv_conn_request(KvConn *conn, KvOp *op, int item, uint8 opcode, KvReply reply);
extern void kv_conn_requested(KvConn *conn, uint32 opaque, CbResult result);

/* Requests of this operation become nobody's. */
extern void kv_conn_disown(KvConn *conn, const KvOp *op);

/* kv_secure.c: TLS on a fresh TCP connection, then kv_handshake_start */
extern void kv_secure_start(KvConn *conn);
extern void kv_secure_step(KvConn *conn);
/* The failure that a socket reports; what a peer may mean that closes the connection without a word. */
extern void kv_secure_failure(const KvConn *conn, const SockFailure *reason, KvFailure *failure);
extern const char *kv_secure_hint(const KvConn *conn);
/* Text and hint of failure if these bytes of an answer, which are not Couchbase's protocol, are TLS or HTTP. */
extern void kv_secure_other_protocol(const KvConn *conn, const uint8 *bytes, size_t len, KvFailure *failure);

extern void kv_handshake_start(KvConn *conn);
extern void kv_handshake_answer(KvConn *conn, const CbPacket *packet);

/* ping.c: the answer to a ping; of older ones, nobody wants to know */
extern void kv_ping_answer(KvConn *conn, int number, const CbPacket *packet);
/* cluster_ping by NOOP or VERSION, whose answer is left in the connection */
extern List *ping_nodes(ClusterHandle *handle, uint8 opcode);

extern void kv_block_release(ClusterHandle *handle, KvBlock *block);

/* ---- handles (manager.c, cluster.c, topology.c, bootstrap.c, collection.c) ---- */

struct KvCollection
{
	ClusterHandle *handle;
	char	   *scope;
	char	   *name;
	enum
	{
		KV_COLLECTION_UNKNOWN,
		KV_COLLECTION_ASKED,
		KV_COLLECTION_KNOWN,
		KV_COLLECTION_MISSING
	}			state;
	uint32		id;
	KvConn	   *asked;			/* ASKED: of whom */
	KvFailure	failure;		/* MISSING: why */
};

/* A scan left open on a node, to be cancelled when its node is next talked to. */
typedef struct KvOpenScan
{
	uint16		vbucket;
	uint8		id[CB_SCAN_ID_SIZE];
} KvOpenScan;

#define KV_MAX_OPEN_SCANS	1024

/* The newest mutation of a vBucket that this backend knows of. */
typedef struct KvToken
{
	CbMutationToken token;		/* seqno 0: none */
	int64		until;			/* wait_now() when it ceases to count; KV_TOKEN_OWN: of this transaction */
} KvToken;

#define KV_TOKEN_OWN	PG_INT64_MAX

/* Writes of one subtransaction. */
typedef struct KvWritten
{
	SubTransactionId subid;
	ClusterWritten count;
} KvWritten;

/* A host by which the cluster is entered (seeds.c). */
typedef struct KvSeed
{
	char	   *host;			/* with %zone */
	uint16		port;
	uint16		given_port;		/* as in the connection string, 0: none */
} KvSeed;

/* Operations that took long and are still to be told of (slow.c). */
typedef struct KvSlow
{
	int64		threshold;		/* microseconds, 0: none is */
	int64		count;			/* since the last line */
	int64		logged_at;		/* wait_now() of the last line; 0: none yet */
	int64		us;				/* of the slowest of them, */
	const char *what;			/* static: what it was, */
	const char *step;			/* static: what held it up, */
	char		node[280];		/* and where */
} KvSlow;

/* Why the first config could not be got, as long as that counts (bootstrap.c). */
typedef struct KvBootstrapFailure
{
	ErrorData  *error;			/* NULL: there was none */
	MemoryContext cxt;			/* its own */
	TimestampTz statement;		/* start of the statement that failed */
	SubTransactionId subid;		/* in which it failed */
} KvBootstrapFailure;

struct ClusterHandle
{
	Oid			umid;
	Oid			serverid;
	Oid			userid;
	MemoryContext cxt;			/* everything of the handle */
	dlist_node	node;			/* in the manager's list */
	bool		invalid;		/* server or mapping altered since */
	bool		replaced;		/* another handle took its place in the table */
	bool		keep;			/* option keep_connections */
	bool		used_in_xact;
	bool		insists;		/* the user asks what can be reached: marks of dead nodes do not count for now */
	int64		idle_timeout;	/* microseconds, 0: none */
	int64		rested_since;	/* wait_now() when the last transaction that used it ended */
	uint32		mapping_hash;	/* syscache hash values: whose change makes it invalid */
	uint32		server_hash;
	uint32		wrapper_hash;

	char	   *servername;
	char	   *bucket;
	char	   *username;		/* NULL: none */
	char	   *password;
	CbConnStr  *connstr;
	CbSettings *settings;
	TlsContext *tls;			/* NULL: connections in clear */
	bool		has_certificate;	/* a client certificate is to be shown */
	CbScramCache scram;

	KvSeed	   *seeds;
	int			nseeds;			/* 0: not looked up yet */
	DnsQuery   *srv;			/* SRV look-up under way, or NULL */
	int64		srv_asked;		/* when the last one began */
	int64		srv_deadline;
	bool		srv_unsure;		/* it failed for reasons that may pass */
	char		srv_note[400];	/* why the host name itself is used; empty: it is not, or was meant */
	int			srv_first_item; /* its place among the items of the wait under way */
	int			srv_nitems;

	KvConn	  **conns;			/* all nodes ever met, retired ones until closed */
	int			nconns;
	int			conns_capacity;
	uint64		conn_events;	/* connections that became ready or failed */
	WaitSet    *waitset;
	int64		waited;			/* microseconds that this backend has spent waiting for the handle, and 1 */
	WaitItem   *items;
	int			items_capacity;

	CbConfig   *config;			/* NULL: none yet */
	bool		versions_understood;	/* the node greeted last takes requests for configs that name a version */
	bool		config_doubted; /* perhaps of a cluster that was replaced: any other is as good */
	bool		provisional;	/* config was kept from before and no node has confirmed it yet */
	struct ConfigCache *cache;
	uint64		config_changes;
	uint64		bucket_changes; /* how often the bucket was found to be another of its name */
	uint32		config_crc;		/* of the last config text parsed, which comes again and again */
	size_t		config_len;
	char	   *network;
	KvConn	  **node_conns;		/* by node of config; NULL: serves no KV */
	KvConn	   *refreshing;		/* node asked for a newer config */
	int64		refresh_started;
	int64		last_config_check;
	CbBuf		error_map;		/* JSON as received, empty: none */

	KvCollection **collections;
	int			ncollections;

	dlist_head	ops;			/* KvOp.node */
	KvSlow		slow;
	KvBootstrapFailure bootstrap_failure;
	dlist_head	queries;		/* RemoteQuery.node */
	struct HttpClient *http;	/* NULL: none needed yet */
	struct QueryPrepared *prepared; /* query_prepared.c */
	int			nprepared;
	int			query_version;	/* query_service_version(); 0: not asked yet */
	ClusterCounters *counters;	/* of the operation that is waiting, or NULL */
	KvBlock    *free_blocks;
	int			nfree_blocks;
	CbBuf		scratch;		/* inflated configs */
	KvOpenScan	open_scans[KV_MAX_OPEN_SCANS];
	int			nopen_scans;

	/* of this transaction: see written.c */
	KvWritten  *written;
	int			nwritten;
	int			written_capacity;
	ClusterWritten total;
	KvToken    *tokens;			/* by vBucket */
	uint32		tokens_size;
	bool		own_tokens;		/* some are of this transaction */
};

/* handle.c: life of a handle, its event loop */
extern ClusterHandle *handle_create(const ClusterTarget *target);
extern void handle_destroy(ClusterHandle *handle);
extern void handle_close_connections(ClusterHandle *handle);
extern KvConn *handle_conn(ClusterHandle *handle, const char *host, uint16 port);

/* Closes the connection that nobody waits for and that was not used for longest; false: there is none. */
extern bool handle_spare_connection(ClusterHandle *handle);

/* A scan that nobody will read to its end; cancelled by the next handle_cancel_scans. Never throws. */
extern void handle_leave_scan(ClusterHandle *handle, uint16 vbucket, const uint8 *id);

/* Sends cancels to the nodes that are connected; their answers are nobody's. Never waits. */
extern void handle_cancel_scans(ClusterHandle *handle);

/*
 * Sends what is to be sent and waits until anything happens on a connection of the handle, or the deadline.
 * eager: look for answers before waiting. Counts for the operation's counters (may be NULL).
 */
extern void handle_wait(ClusterHandle *handle, int64 deadline, bool eager, ClusterCounters *counters);

/* manager.c: what has failed in one subtransaction counts for another: that around it, or one made for trying. */
extern void manager_move_failures(SubTransactionId from, SubTransactionId to);
/* manager.c: the handles of the same user mapping, for other buckets and this one; palloc'd list */
extern List *handle_siblings(const ClusterHandle *handle);

/* diag.c: a row more; query_ping.c: rows about the query service */
extern List *diag_add(List *checks, const char *step, const char *target, bool ok, int64 us, const char *detail,
					  const char *advice);
extern List *query_diagnose(ClusterHandle *handle, List *checks);

/* query.c: the transaction is over, or the part of it that was writing; neither waits nor throws */
extern void query_detach_all(ClusterHandle *handle);
extern void query_end_sub(ClusterHandle *handle, SubTransactionId subid, SubTransactionId parent, bool abort);

/* topology.c */
extern bool topology_apply(ClusterHandle *handle, KvConn *from, const CbPacket *packet, KvFailure *failure);
/* Takes over a kept config until a node says more; it is the handle's from then on. */
extern void topology_start_from(ClusterHandle *handle, CbConfig *config, CbSpan network, CbSpan text);
/* Forgets a provisional config. */
extern void topology_drop(ClusterHandle *handle);
/* Takes over a newer config of the same bucket that another backend was given; false if it is not one. */
extern bool topology_follow(ClusterHandle *handle, CbConfig *config, CbSpan text);
extern void topology_refresh(ClusterHandle *handle, KvConn *avoid);
extern void topology_answer(KvConn *conn, const CbPacket *packet);
extern void topology_poll(ClusterHandle *handle);
/* The node that has the vBucket; NULL: nobody at the moment. */
extern KvConn *topology_conn(ClusterHandle *handle, uint16 vbucket);
extern void topology_forget_conn(ClusterHandle *handle, KvConn *conn);

/* seeds.c */
/* Makes sure that there are seeds; may wait for DNS until the deadline. */
extern void seeds_find(ClusterHandle *handle, int64 deadline, ClusterCounters *counters);
/* Starts to look for other hosts when all nodes have failed; never waits or throws for what DNS says. */
extern void seeds_refresh(ClusterHandle *handle);
/* With a look-up under way: goes on after a wait; its deadlines. */
extern void seeds_step(ClusterHandle *handle, const WaitItem *items, int nitems);
extern void seeds_check_deadline(ClusterHandle *handle, int64 now);
extern int64 seeds_deadline(const ClusterHandle *handle);
extern void seeds_forget(ClusterHandle *handle);
/* Has the hosts of the connection string among the nodes to try when all others fail. */
extern void seeds_in_reserve(ClusterHandle *handle);

/* bootstrap.c: makes sure there is a config that a node has confirmed; waits. keys: what will be asked for */
extern void cluster_bootstrap(ClusterHandle *handle, ClusterCounters *counters);
extern void cluster_bootstrap_for(ClusterHandle *handle, int nkeys, const KvKey *keys, ClusterCounters *counters);

/* collection.c */
extern void collection_ask(KvConn *conn, KvCollection *collection, int index);
extern void collection_ask_all(KvConn *conn);
/* True when the id is known; otherwise a look-up is under way. Throws when there is no such collection. */
extern bool collection_ready(KvCollection *collection, const KvOp *op);
extern void collection_forget(KvCollection *collection, uint32 id);
extern void collection_answer(KvConn *conn, int index, const CbPacket *packet);
extern void collection_lost(ClusterHandle *handle, const KvConn *conn);

/* written.c: written_begin makes room for counts of this subtransaction; the others never allocate nor throw */
extern void written_begin(ClusterHandle *handle, SubTransactionId subid);
extern void written_count(ClusterHandle *handle, SubTransactionId subid, int64 applied, int64 unknown);
extern void written_end_sub(ClusterHandle *handle, SubTransactionId subid, SubTransactionId parent, bool abort);
extern void written_end(ClusterHandle *handle, bool abort);
/* Throws when something was written. */
extern void written_refuse_prepare(const ClusterHandle *handle);
/* The newest mutation of a vBucket; keeping the first one allocates. */
extern void written_token(ClusterHandle *handle, uint16 vbucket, const CbMutationToken *token);
extern bool written_token_of(const ClusterHandle *handle, uint16 vbucket, CbMutationToken *token);
/* The vBucket has another history now: forgets a token of an earlier transaction; false if there is none. */
extern bool written_forget(ClusterHandle *handle, uint16 vbucket);

/*
 * idle.c: closes connections that have rested for too long. Between idle_begin and idle_end or idle_pause nothing may
 * change a handle; idle_end closes what was shut down meanwhile, idle_pause leaves that for later.
 */
extern void idle_begin(dlist_head *handles);
extern void idle_pause(void);
extern void idle_end(void);

/* slow.c: an operation took this long; what and step are static. One line in the log tells of all of some seconds. */
extern void slow_note(ClusterHandle *handle, const char *what, const char *node, const char *step, int64 us);
/* The same by another threshold than that of data operations. */
extern void slow_note_over(ClusterHandle *handle, int64 threshold, const char *what, const char *node,
						   const char *step, int64 us);
/* Tells of what was noted and not told of yet, when it is time. */
extern void slow_report(ClusterHandle *handle);

/* settings.c: refuses what is understood but not done */
extern void handle_parse_connection_string(ClusterHandle *handle, const char *text);

#endif							/* CBCONN_HANDLE_H */
