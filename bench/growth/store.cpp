#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "../bare_client.hpp"
#include "growth.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace quarq::bench::growth {
namespace {

test::redis_server_options memory_only() {
  test::redis_server_options o;
  o.extra = {"--save", "", "--maxclients", "20000"};
  return o;
}

class private_redis final : public store {
 public:
  const std::string& url() const override { return url_; }
  double server_cpu() override { return server_cpu_seconds(observer_); }
  double stored_bytes() override { return std::stod(server_.info("memory", "used_memory")); }

 private:
  test::redis_server server_{memory_only()};
  bare_client observer_{server_.plain_port()};
  std::string url_ = fmt::format("redis://127.0.0.1:{}", server_.plain_port());
};

class private_file final : public store {
 public:
  const std::string& url() const override { return url_; }
  double server_cpu() override { return 0; }
  double stored_bytes() override {
    double bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path()))
      bytes += static_cast<double>(file.file_size());
    return bytes;
  }

 private:
  test::temp_dir folder_;
  std::string url_ = "sqlite:" + (folder_ / "jobs.db");
};

}  // namespace

std::unique_ptr<store> make_store(const std::string& kind) {
  if (kind == "redis") return std::make_unique<private_redis>();
  if (kind == "sqlite") return std::make_unique<private_file>();
  throw std::runtime_error(fmt::format("there is no store \"{}\": redis or sqlite", kind));
}

}  // namespace quarq::bench::growth
