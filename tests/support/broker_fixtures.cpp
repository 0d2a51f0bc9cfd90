#include "support/broker_fixtures.hpp"

#include "broker/sqlite/broker.hpp"
#include "broker/sqlite/url.hpp"
#include "support/redis_fixture.hpp"
#include "support/secrets.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

namespace {

/// A file in a folder of its own.
class sqlite_file : public broker_fixture {
 public:
  explicit sqlite_file(std::string parameters = "") : parameters_(std::move(parameters)) {}
  std::string url() const override { return "sqlite:" + (folder_ / "jobs.db") + parameters_; }

  std::shared_ptr<broker::broker> open_apart(boost::asio::any_io_executor loop) const override {
    namespace sqlite = broker::sqlite;
    auto own = std::make_shared<sqlite::writer_thread>(sqlite::parse_url(url()).settings);
    return std::make_shared<sqlite::sqlite_broker>(own, std::move(loop), broker::open_options());
  }

 private:
  temp_dir folder_;
  std::string parameters_;
};

class sqlite_memory : public broker_fixture {
 public:
  std::string url() const override { return "sqlite::memory:"; }
};

std::unique_ptr<broker_fixture> redis_without_disk() {
  return std::make_unique<redis_fixture>(redis_fixture::over::unix_socket);
}

std::unique_ptr<broker_fixture> redis_with_append_only_file() {
  redis_server_options options;
  options.appendonly = true;
  options.password = secret_password;
  return std::make_unique<redis_fixture>(redis_fixture::over::tcp, options);
}

std::unique_ptr<broker_fixture> arq_with_pickle() {
  redis_server_options options;
  options.appendonly = true;
  options.password = secret_password;
  return std::make_unique<arq_fixture>(redis_fixture::over::tcp, "pickle", options);
}

std::unique_ptr<broker_fixture> arq_with_msgpack() {
  return std::make_unique<arq_fixture>(redis_fixture::over::unix_socket, "msgpack");
}

}  // namespace

const std::vector<broker_kind>& broker_kinds() {
  static const std::vector<broker_kind> kinds = {
      {"sqlite_full", [] { return std::make_unique<sqlite_file>(); }},
      {"sqlite_normal", [] { return std::make_unique<sqlite_file>("?synchronous=normal"); }},
      {"sqlite_memory", [] { return std::make_unique<sqlite_memory>(); }},
      {"redis", redis_without_disk},
      {"redis_appendonly", redis_with_append_only_file},
      {"arq_pickle", arq_with_pickle},
      {"arq_msgpack", arq_with_msgpack},
  };
  return kinds;
}

}  // namespace quarq::test
