/*
 * errmap.h: the error map that GET_ERROR_MAP answers with.
 */
#ifndef ERRMAP_H
#define ERRMAP_H

/* JSON of version 1 or 2; malloced. */
char	   *error_map_json(int version);

#endif
