#include "quantsearch/runtime.h"
