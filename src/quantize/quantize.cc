#include "quantsearch/quantize.h"
