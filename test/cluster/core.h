/*
 * core.h: functions that the core files of the test cluster share and no other file needs.
 */
#ifndef CORE_H
#define CORE_H

#include <sys/types.h>

#include "cbcluster.h"

/* bucket.c */
Bucket	   *bucket_create_config_only(Cluster *cl, const char *name);
void		bucket_clear_vbucket(VBucket *vb);	/* its documents are gone */
void		bucket_restore_map(Bucket *b);	/* the map that bucket_create() made */

/* cluster.c */
void		cluster_tell(Cluster *cl, Bucket *b);	/* connections and listeners: the configuration is another */

/* manifest.c */
void		manifest_init(Bucket *b);
void		manifest_free(Bucket *b);
bool		manifest_legal_name(const char *name, size_t len);

/* config.c */
void		config_forget(char **cache);
int64_t		config_epoch(const Node *n, const Bucket *b);
int64_t		config_rev(const Node *n, const Bucket *b);

/* address.c */
void		node_forget_addresses(Node *n);

/* node.c */
bool		node_start_kv(Node *n);
void		node_free(Node *n);
Fault	   *node_match_fault(Node *n, uint8_t opcode);
const WireFault *node_match_wire_fault(Node *n);

/* kv_conn.c */
void		conn_accepted(Node *n, int fd, const char *peer, bool tls);
void		conn_close_matching(Node *n, const Bucket *b, const User *u);	/* both NULL: all */
void		conn_rekey(Conn *c);
void		conn_set_paused(Conn *c, bool paused);
void		conn_process(Conn *c);		/* works on what has been received */
void		conn_flush(Conn *c);		/* writes what can be written */
bool		conn_hold(Conn *c);			/* for the time of a call that uses the connection */
void		conn_release(Conn *c);

/* kv_io.c */
void		io_open(Conn *c, bool tls);
void		io_close(Conn *c);
ssize_t		io_recv(Conn *c, uint8_t *buf, size_t room);	/* 0: nothing now, -1: the connection has ended */
bool		io_flush(Conn *c);			/* writes what the socket takes; false: the connection has ended */
size_t		io_pending(const Conn *c);	/* bytes that wait for the socket */
void		io_rekey(Conn *c);			/* TLS 1.3: new keys for both sides; 1.2: asks for a new handshake */
void		io_goodbye(Conn *c);		/* tells a TLS client that the end is meant */

/* kv_dispatch.c */
void		kv_dispatch(Conn *c, const uint8_t *packet, size_t len, Fault *fault);
bool		kv_reorderable(const Conn *c, const uint8_t *packet, size_t len);

/* kv_collection.c: the collection prefix of a key. */
bool		kv_collection_key(Req *r);	/* fills cid and key, or answers and returns false */

/* kv_config.c */
void		kv_notify_config(Node *n, Bucket *b);
void		reply_not_my_vbucket(Req *r);

/* kv_reply.c */
/* Answers 04 with a text; always false. */
bool		refuse(Req *r, const char *fmt,...) __attribute__((format(printf, 2, 3)));
void		reply_access_denied(Req *r, const char *privilege);
uint16_t	encode_duration(int64_t us);
int64_t		monotonic_us(void);

/* kv_frames.c */
bool		kv_frames(Req *r);

/* kv_sasl.c */
void		sasl_forget(Conn *c);
void		sasl_user_free(User *u);

/* rbac.c */
const char *privilege_name(uint32_t one);
uint32_t	privilege_by_name(const char *name, size_t len);
void		users_free(Cluster *cl);

#endif
