/* Percent-encoding, as in the paths of URLs. */
#ifndef LIBRARY_PERCENT_H
#define LIBRARY_PERCENT_H

#include "text.h"

/* Appends the encoded bytes. Returns 0 where there is no memory left. */
int percent_encode(struct text *text, const char *bytes, size_t length);

/* Appends the decoded bytes. Returns 0 where the source is malformed or there is no memory left. */
int percent_decode(struct text *text, const char *source);

#endif
