/*
 * cbcluster.h: everything the files of the test cluster share.
 *
 * A development Couchbase cluster in one process: N nodes on loopback, one libevent loop, no threads. Written from
 * the documents of couchbase/kv_engine (docs/BinaryProtocol.md, Collections.md, SubDocument.md, range_scans/, sasl.md)
 * and from recorded conversations (test/vectors/); it shares no code with the client in src/.
 */
#ifndef CBCLUSTER_H
#define CBCLUSTER_H

#include "util.h"
#include "kv_wire.h"
#include "store.h"
#include "cluster.h"
#include "kv.h"

#endif
