#include "quantsearch/base/error.h"
