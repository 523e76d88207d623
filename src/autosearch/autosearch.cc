#include "quantsearch/search/study.h"
