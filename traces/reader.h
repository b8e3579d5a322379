/* SPDX-License-Identifier: Apache-2.0 */
/* What reader, writer and the tools of traces/ share and nobody else needs. */
#ifndef SY_TRACES_READER_H
#define SY_TRACES_READER_H

#include "sim/base/text.h"
#include "traces/stream.h"
#include "traces/syntax.h"
#include "traces/trace.h"

#endif
