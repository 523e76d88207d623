#include "quantsearch/model.h"
