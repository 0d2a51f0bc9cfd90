#include "soak/place.hpp"

#include <algorithm>
#include <iterator>
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

awaitable<std::vector<job_details>> listed(std::string url, std::string queue, job_state state) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto opened = broker::open(url, loop);
  auto found = co_await opened->list(queue, state, all_of_them);
  co_return found;
}

std::vector<job_details> list(const std::string& url, job_state state) {
  std::vector<job_details> all;
  for (const auto* queue : {main_queue, spare_queue}) {
    auto found = test::run_on_loop(listed(url, queue, state), answers_within);
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  return all;
}

awaitable<void> purge_all(std::string url) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto opened = broker::open(url, loop);
  for (const auto* queue : {main_queue, spare_queue}) {
    for (const auto state : ended_states) co_await opened->purge(queue, state);
    co_await opened->purge(queue, job_state::queued);
    co_await opened->purge(queue, job_state::deferred);
  }
}

std::int64_t result_of(const job_details& job) {
  const auto outcome = model::decode_outcome(job.outcome);
  return outcome.result.empty() ? 0 : from_msgpack<std::int64_t>(outcome.result, "a result");
}

}  // namespace

place::place(const std::string& kind) : kind_(kind) {
  if (kind == "sqlite") {
    open_file();
    return;
  }
  if (kind != "redis" && kind != "arq")
    throw std::invalid_argument("--broker is sqlite, redis or arq, not \"" + kind + "\"");
  start_server();
}

void place::open_file() {
  file_ = folder_ / "jobs.db";
  try {
    disk_ = std::make_unique<small_disk>(folder_.path());
  } catch (const std::system_error& e) {
    why_no_disk_ = e.what();
  }
}

void place::start_server() {
  test::redis_server_options options;
  options.appendonly = true;
  options.environment = servers_clock_.environment();
  redis_ = std::make_unique<test::redis_server>(std::move(options));
  proxy_ = std::make_unique<tcp_proxy>(redis_->port());
}

std::string place::url() const {
  return redis_ ? fmt::format("{}://127.0.0.1:{}", kind_, redis_->port()) : "sqlite:" + file_;
}

std::string place::cuttable_url() const {
  return redis_ ? fmt::format("{}://127.0.0.1:{}", kind_, proxy_->port()) : url();
}

// On arq:// clients ask for the server's time every half minute.
std::chrono::microseconds place::clock_known_within() const {
  return kind_ == "arq" ? 35s : 1s;
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
  test::run_on_loop(purge_all(url()), answers_within);
  return redis_ ? redis_left_over() : sqlite_left_over();
}

// What clients and workers leave expires by itself. A queue that was used is remembered.
std::vector<std::string> place::redis_left_over() {
  std::vector<std::string> left;
  for (const auto& key : redis_->keys()) {
    if (redis_->command({"TTL", key}).integer >= 0) continue;
    if (key == "quarq:queues" || key.ends_with("}:format") || key == "arq:quarq:queues") continue;
    left.push_back(fmt::format("{} ({})", key, redis_->command({"TYPE", key}).text));
  }
  return left;
}

std::vector<std::string> place::sqlite_left_over() const {
  std::vector<std::string> left;
  broker::sqlite::database db(file_);
  for (const char* table : {"quarq_jobs", "quarq_leases", "quarq_served"}) {
    const auto sql = fmt::format("SELECT count(*) FROM {}", table);
    broker::sqlite::statement count(db.get(), sql);
    if (count.with().next() && count.integer(0) > 0)
      left.push_back(fmt::format("{} rows in {}", count.integer(0), table));
  }
  return left;
}

}  // namespace quarq::soak
