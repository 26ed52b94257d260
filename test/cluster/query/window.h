/*
 * window.h: one window function over its partitions, shared by window.c (rows, order, frames) and window_func.c (values).
 */
#ifndef QUERY_WINDOW_H
#define QUERY_WINDOW_H

#include "exec.h"

/* A row as one window function sees it. */
typedef struct WindowRow
{
	KeptRow    *row;
	N1Value   **partition;
	N1Value   **keys;				/* of ORDER BY */
	size_t		number;
	size_t		peers_from;			/* rows of the partition with the same keys: from, to (not included) */
	size_t		peers_to;
	size_t		group;				/* number of the peers */
} WindowRow;

typedef struct WindowRun
{
	SubRun	   *s;
	const N1Expr *e;
	const N1Window *w;
	SortSpec   *specs;
	WindowRow  *part;				/* the partition */
	size_t		n;
} WindowRun;

/* Puts the names of a row into the frame of its sub-select. */
void		window_show(WindowRun *run, size_t i);

/* Argument k of the function at row i; NULL: error. */
N1Value    *window_arg(WindowRun *run, size_t i, int k);

/* The rows of the frame of row i: from, to (not included). False: error. */
bool		window_frame(WindowRun *run, size_t i, size_t *from, size_t *to);

/* True if EXCLUDE takes row at out of the frame of row i. */
bool		window_excluded(const WindowRun *run, size_t i, size_t at);

/* Values of the function for every row of the partition, into their slots. False: error. */
bool		window_values(WindowRun *run);

#endif
