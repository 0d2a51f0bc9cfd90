#include "support/sentinels.hpp"

#include <chrono>
#include <functional>
#include <stdexcept>
#include <system_error>

#include "support/default_timeout.hpp"
#include "support/process.hpp"

namespace quarq::test {

namespace {

constexpr auto pause = std::chrono::milliseconds(20);
constexpr const char* among_sentinels = "among-sentinels";

// Of a flat list of names and values.
std::string value_in(const redis::reply& list, const std::string& name) {
  for (std::size_t i = 0; i + 1 < list.items.size(); i += 2) {
    if (list.items[i].text == name) return list.items[i + 1].text;
  }
  return {};
}

redis_server_options server_options(const sentinels_options& o) {
  redis_server_options server;
  server.tls = o.tls;
  server.password = o.password;
  if (o.tls) server.extra.insert(server.extra.end(), {"--tls-replication", "yes"});
  if (!o.password.empty()) server.extra.insert(server.extra.end(), {"--masterauth", o.password});
  server.extra.insert(server.extra.end(), {"--repl-diskless-sync-delay", "0"});
  return server;
}

void wait_until(const std::string& what, const std::function<bool()>& holds) {
  if (!eventually(holds, default_timeout, pause)) throw std::runtime_error("timed out waiting for " + what);
}

long long replication_offset(const redis_server& server, const std::string& field) {
  return std::stoll("0" + server.info("replication", field));
}

}  // namespace

sentinels::sentinels(sentinels_options options) : options_(std::move(options)) {
  first_ = std::make_unique<redis_server>(server_options(options_));
  auto replica = server_options(options_);
  if (options_.tls) replica.certificate = first_->certificate();
  replica.extra.insert(replica.extra.end(), {"--replicaof", "127.0.0.1 " + std::to_string(first_->port())});
  second_ = std::make_unique<redis_server>(std::move(replica));
  wait_until("a replica with a first copy",
             [&] { return second_->info("replication", "master_link_status") == "up"; });

  redis_server_options one;
  one.tls = options_.tls;
  one.certificate = options_.tls ? first_->certificate() : std::string();
  one.password = options_.sentinel_password.empty() ? std::string() : among_sentinels;
  one.sentinel = sentinel_lines();
  // A replica is promoted only if it was checked within five ping periods, and it is checked once a second.
  for (int i = 0; i < 3; ++i) {
    sentinels_.push_back(std::make_unique<redis_server>(one));
    sentinels_.back()->command({"SENTINEL", "DEBUG", "info-period", "200", "ping-period", "500", "ask-period",
                                "100", "publish-period", "100", "tilt-trigger", "60000"});
  }
  for (const auto& each : sentinels_) {
    wait_until("sentinels that know each other and the replica", [&] { return ready(*each); });
  }
  // Within four of these periods a sentinel must notice that a replica was promoted on purpose, and it checks
  // once a second.
  for (const auto& each : sentinels_) each->command({"SENTINEL", "DEBUG", "publish-period", "2000"});
}

std::vector<std::string> sentinels::sentinel_lines() const {
  std::vector<std::string> lines{
      "sentinel monitor jobs 127.0.0.1 " + std::to_string(first_->port()) + " 2",
      "sentinel down-after-milliseconds jobs 1000",
      "sentinel failover-timeout jobs 4000",
  };
  if (options_.tls) lines.push_back("tls-replication yes");
  if (!options_.password.empty()) lines.push_back("sentinel auth-pass jobs " + options_.password);
  if (!options_.sentinel_password.empty()) {
    lines.push_back("sentinel sentinel-pass " + std::string(among_sentinels));
    lines.push_back("user " + options_.sentinel_user + " on >" + options_.sentinel_password +
                    " -@all +sentinel|get-master-addr-by-name");
  }
  return lines;
}

bool sentinels::ready(const redis_server& sentinel) const {
  const auto master = sentinel.command({"SENTINEL", "MASTER", "jobs"});
  const auto replicas = sentinel.command({"SENTINEL", "REPLICAS", "jobs"});
  return value_in(master, "flags") == "master" && value_in(master, "num-other-sentinels") == "2" &&
         replicas.items.size() == 1 && value_in(replicas.items[0], "flags") == "slave" &&
         value_in(replicas.items[0], "master-link-status") == "ok";
}

std::string sentinels::hosts() const {
  std::string list;
  for (const auto& each : sentinels_) list += (list.empty() ? "" : ",") + each->endpoint();
  return list;
}

std::string sentinels::url(const std::string& dialect) const {
  auto text = dialect + (options_.tls ? "s+sentinel://" : "+sentinel://") +
              (options_.password.empty() ? "" : ":" + options_.password + "@") + hosts() + "/0?master=jobs";
  if (options_.tls) text += "&tls_ca=" + first_->ca_file();
  if (!options_.sentinel_password.empty()) {
    text += "&sentinel_user=" + options_.sentinel_user + "&sentinel_password=" + options_.sentinel_password;
  }
  return text;
}

void sentinels::wait_replicated() {
  const auto written = replication_offset(*first_, "master_repl_offset");
  wait_until("a replica that has all",
             [&] { return replication_offset(*second_, "slave_repl_offset") >= written; });
}

void sentinels::order_failover() {
  wait_until("a sentinel that takes the order",
             [&] { return sentinels_[0]->command({"SENTINEL", "FAILOVER", "jobs"}).text == "OK"; });
}

void sentinels::wait_failed_over() {
  for (const auto& each : sentinels_) {
    if (each->pid() <= 0) continue;
    wait_until("a new master", [&] {
      const auto named = each->command({"SENTINEL", "get-master-addr-by-name", "jobs"});
      return named.items.size() == 2 && named.items[1].text == std::to_string(second_->port());
    });
  }
  wait_until("a server that knows it is the master",
             [&] { return second_->command({"ROLE"}).items.at(0).text == "master"; });
}

}  // namespace quarq::test
