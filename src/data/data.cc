#include "quantsearch/data.h"
