#include "quantsearch/internal/base/files.h"
#include "storage/place.h"

namespace quantsearch {

namespace {

class File final : public Place {
 public:
  std::unique_ptr<StudyStore> open(const StudyDescription& description) const override {
    return sqlite_store(address(), description);
  }
  std::unique_ptr<SharedStudyStore> share(const StudyDescription& description,
                                          double lease_seconds) const override {
    return shared_sqlite_store(address(), description, lease_seconds);
  }
  std::string address() const override { return (folder_.path() / "study.db").string(); }
  std::string name() const override { return "study database '" + address() + "'"; }
  std::unique_ptr<Database> connect() const override {
    return open_sqlite(address(), Database::Access::write);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

std::unique_ptr<Place> new_place() { return std::make_unique<File>(); }

}  // namespace quantsearch
