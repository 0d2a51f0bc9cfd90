#include "support/broker_places.hpp"

#include "support/temp_dir.hpp"

namespace quarq::test {

namespace {

/// A file in a folder of its own.
class sqlite_file : public broker_place {
 public:
  explicit sqlite_file(std::string parameters = "") : parameters_(std::move(parameters)) {}
  std::string url() const override { return "sqlite:" + folder_ / "jobs.db" + parameters_; }

 private:
  temp_dir folder_;
  std::string parameters_;
};

class sqlite_memory : public broker_place {
 public:
  std::string url() const override { return "sqlite::memory:"; }
};

}  // namespace

const std::vector<broker_kind>& broker_kinds() {
  static const std::vector<broker_kind> kinds = {
      {"sqlite_full", [] { return std::make_unique<sqlite_file>(); }},
      {"sqlite_normal", [] { return std::make_unique<sqlite_file>("?synchronous=normal"); }},
      {"sqlite_memory", [] { return std::make_unique<sqlite_memory>(); }},
  };
  return kinds;
}

}  // namespace quarq::test
