/*
 * handlers.h: the handlers and validators that stand in the opcode table and belong to the core.
 */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "cbcluster.h"

/* kv_hello.c */
void		kv_hello(Req *r);
bool		kv_hello_validate(Req *r);
void		kv_noop(Req *r);
void		kv_version(Req *r);
void		kv_quit(Req *r);
void		kv_error_map(Req *r);
bool		kv_error_map_validate(Req *r);

/* kv_sasl.c */
void		kv_sasl_mechs(Req *r);
void		kv_sasl_auth(Req *r);
void		kv_sasl_step(Req *r);

/* kv_config.c */
void		kv_select_bucket(Req *r);
void		kv_list_buckets(Req *r);
void		kv_get_config(Req *r);
bool		kv_get_config_validate(Req *r);
void		kv_set_config(Req *r);

/* kv_collection.c */
void		kv_get_manifest(Req *r);
void		kv_set_manifest(Req *r);
void		kv_collection_id(Req *r);
void		kv_scope_id(Req *r);
void		kv_random_key(Req *r);

/* kv_doc.c */
void		kv_get(Req *r);
void		kv_reply_doc(Req *r, Doc *d, uint64_t cas);
void		kv_get_replica(Req *r);
void		kv_set(Req *r);
void		kv_delete(Req *r);
void		kv_append(Req *r);
void		kv_touch(Req *r);

/* kv_counter.c, kv_lock.c */
void		kv_counter(Req *r);
void		kv_lock(Req *r);
void		kv_unlock(Req *r);
bool		kv_unlock_validate(Req *r);

/* kv_meta.c */
void		kv_get_meta(Req *r);
bool		kv_get_meta_validate(Req *r);
void		kv_observe(Req *r);
void		kv_observe_seqno(Req *r);
bool		kv_observe_seqno_validate(Req *r);
void		kv_all_seqnos(Req *r);
bool		kv_all_seqnos_validate(Req *r);
void		kv_failover_log(Req *r);
void		kv_get_vbucket(Req *r);
void		kv_seqno_persistence(Req *r);

/* kv_stat.c */
void		kv_stat(Req *r);
bool		kv_stat_validate(Req *r);

/* kv_admin.c */
void		kv_unit_tests_only(Req *r);
void		kv_accept(Req *r);
void		kv_ctrl_token(Req *r);
void		kv_set_param(Req *r);
void		kv_create_bucket(Req *r);
void		kv_delete_bucket(Req *r);
void		kv_ioctl(Req *r);
void		kv_dcp_open(Req *r);
bool		kv_dcp_open_validate(Req *r);
void		kv_dcp_stream(Req *r);
bool		kv_dcp_validate(Req *r);

#endif
