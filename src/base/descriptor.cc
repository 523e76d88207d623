#include "quantsearch/internal/base/descriptor.h"

#include <unistd.h>

namespace quantsearch {

Descriptor::~Descriptor() { close(); }

void Descriptor::close() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

}  // namespace quantsearch
