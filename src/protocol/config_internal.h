/*
 * config_internal.h
 *		What the parsers of configurations and manifests share.
 */
#ifndef CB_CONFIG_INTERNAL_H
#define CB_CONFIG_INTERNAL_H

#include "base.h"

#include <jansson.h>

extern CbResult cb_config_malformed(CbError *err, const char *what);
extern CbResult cb_config_nomem(CbError *err);

/* malloc'd copy of a string member, NULL where absent or null. */
extern CbResult cb_config_text(const json_t *object, const char *key, char **out,
							   CbError *err);

#endif
