/* What a program prints is told to be lost when it is: on a full disk, say. */
#pragma once

#include "base/base.h"

/* From now on the program ends with `status` and a sentence on stderr when stdout did not take all
 * that was written there. `program` is borrowed for ever. */
void output_check_at_exit(const char *program, int status);
