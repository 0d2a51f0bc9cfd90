#include "soak/place.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/msgpack.hpp>

#include "broker/broker.hpp"
#include "broker/sqlite/database.hpp"
#include "model/record.hpp"
#include "soak/soak_tasks.hpp"
#include "support/on_loop.hpp"

namespace quarq::soak {

namespace {

using namespace std::chrono_literals;
using broker::job_details;

constexpr auto answers_within = 60s;
constexpr std::size_t all_of_them = 10'000'000;
constexpr job_state ended_states[] = {job_state::succeeded, job_state::failed, job_state::cancelled,
                                      job_state::expired, job_state::dead};
constexpr job_state open_states[] = {job_state::queued, job_state::deferred, job_state::running};

awaitable<std::vector<job_details>> listed(std::string url, job_state state) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto opened = broker::open(url, loop);
  auto found = co_await opened->list("default", state, all_of_them);
  co_return found;
}

std::vector<job_details> list(const std::string& url, job_state state) {
  return test::run_on_loop(listed(url, state), answers_within);
}

awaitable<void> purge(std::string url) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto opened = broker::open(url, loop);
  for (const auto state : ended_states) co_await opened->purge("default", state);
  co_await opened->purge("default", job_state::queued);
  co_await opened->purge("default", job_state::deferred);
}

std::int64_t result_of(const job_details& job) {
  const auto outcome = model::decode_outcome(job.outcome);
  return outcome.result.empty() ? 0 : from_msgpack<std::int64_t>(outcome.result, "a result");
}

}  // namespace

place::place(const std::string& kind) : kind_(kind) {
  if (kind == "sqlite") {
    file_ = folder_ / "jobs.db";
    return;
  }
  if (kind != "redis" && kind != "arq")
    throw std::invalid_argument("--broker is sqlite, redis or arq, not \"" + kind + "\"");
  test::redis_server_options options;
  options.appendonly = true;
  redis_ = std::make_unique<test::redis_server>(std::move(options));
  proxy_ = std::make_unique<tcp_proxy>(redis_->port());
}

std::string place::url() const {
  return redis_ ? fmt::format("{}://127.0.0.1:{}", kind_, redis_->port()) : "sqlite:" + file_;
}

std::string place::cuttable_url() const {
  return redis_ ? fmt::format("{}://127.0.0.1:{}", kind_, proxy_->port()) : url();
}

final_states place::ends() const {
  final_states ends;
  for (const auto state : ended_states) {
    for (const auto& job : list(url(), state))
      ends.emplace(job.id,
                   final_state{state, state == job_state::succeeded && !job.id.starts_with(cron_prefix) &&
                                              !job.id.starts_with(void_prefix)
                                          ? result_of(job)
                                          : 0});
  }
  return ends;
}

std::size_t place::unfinished() const {
  std::size_t found = 0;
  for (const auto state : open_states) {
    for (const auto& job : list(url(), state)) found += job.id.starts_with(cron_prefix) ? 0 : 1;
  }
  return found;
}

std::vector<std::string> place::left_over() {
  test::run_on_loop(purge(url()), answers_within);
  return redis_ ? redis_left_over() : sqlite_left_over();
}

// What clients and workers leave expires by itself. A queue that was used is remembered.
std::vector<std::string> place::redis_left_over() {
  std::vector<std::string> left;
  for (const auto& key : redis_->keys()) {
    if (redis_->command({"TTL", key}).integer >= 0) continue;
    if (key == "quarq:queues" || key == "quarq:{default}:format" || key == "arq:quarq:queues") continue;
    left.push_back(fmt::format("{} ({})", key, redis_->command({"TYPE", key}).text));
  }
  return left;
}

std::vector<std::string> place::sqlite_left_over() const {
  std::vector<std::string> left;
  broker::sqlite::database db(file_);
  for (const char* table : {"quarq_jobs", "quarq_leases"}) {
    const auto sql = fmt::format("SELECT count(*) FROM {}", table);
    broker::sqlite::statement count(db.get(), sql);
    if (count.with().next() && count.integer(0) > 0)
      left.push_back(fmt::format("{} rows in {}", count.integer(0), table));
  }
  return left;
}

}  // namespace quarq::soak
