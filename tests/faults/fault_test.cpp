#include "faults/fault_test.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <fmt/format.h>
#include <sqlite3.h>

#include "support/secrets.hpp"

namespace quarq::test {

fault_test::fault_test(const std::string& appendfsync) {
  if (GetParam() == store_kind::sqlite) return;
  if (GetParam() == store_kind::sentinel) {
    sentinels_ = std::make_unique<sentinels>();
    return;
  }
  redis_server_options options;
  options.appendonly = true;
  options.appendfsync = appendfsync;
  options.password = secret_password;
  redis_ = std::make_unique<redis_server>(std::move(options));
}

void fault_test::TearDown() {
  expect_no_sanitizer_reports();
  if (!HasFailure()) return;
  for (auto& p : processes_) {
    std::cerr << fmt::format("---- end of the log of process {}:\n{}", p.pid(), tail(p.log()));
  }
  std::cerr << "---- end of the history:\n" << tail(read_file(history_file()), 20);
  if (redis_) std::cerr << "---- end of the log of redis-server:\n" << tail(redis_->log(), 10);
}

// A killed process has no exit code to tell. (Crashes on purpose are reported as SEGV and ABRT.)
void fault_test::expect_no_sanitizer_reports() {
  for (const auto& p : processes_) {
    const auto log = p.log();
    for (const auto* report : {"use-after-free", "buffer-overflow", "double-free", "stack-use-after",
                               "LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:"}) {
      EXPECT_EQ(log.find(report), std::string::npos) << report << " in process " << p.pid();
    }
  }
}

std::string fault_test::url() const {
  if (sentinels_) return sentinels_->url();
  if (!redis_) return "sqlite:" + file();
  auto at_redis = redis_->url();
  return GetParam() == store_kind::arq ? "arq" + at_redis.substr(at_redis.find(':')) : at_redis;
}

std::string fault_test::own_url() const {
  if (on_redis()) return url();
  return url() + "?timeout=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(soon).count());
}

process& fault_test::start(strings words, std::map<std::string, std::string> environment) {
  environment.emplace("QUARQ_TEST_HISTORY", history_file());
  environment.emplace("QUARQ_BROKER", url());
  return processes_.emplace_back(std::move(words), std::move(environment));
}

process& fault_test::begin_worker(strings flags, std::map<std::string, std::string> environment) {
  flags.insert(flags.begin(), program("fault_worker"));
  return start(std::move(flags), std::move(environment));
}

process& fault_test::start_worker(strings flags, std::map<std::string, std::string> environment) {
  auto& worker = begin_worker(std::move(flags), std::move(environment));
  wait_until_serving(worker);
  return worker;
}

process& fault_test::start_client(strings flags) {
  flags.insert(flags.begin(), program("fault_client"));
  return start(std::move(flags), {});
}

void fault_test::wait_until_serving(const process& worker) {
  // On arq's keys workers write arq's lines.
  if (worker.logs(GetParam() == store_kind::arq ? "redis_version=" : " serves ", soon)) return;
  throw std::runtime_error("a worker did not start to serve:\n" + tail(worker.log()));
}

void fault_test::wait_until_stopping(const process& worker) {
  if (worker.logs(GetParam() == store_kind::arq ? "shutdown on " : "stopping:", soon)) return;
  throw std::runtime_error("a worker did not begin to stop:\n" + tail(worker.log()));
}

bool fault_test::file_is_free() const {
  sqlite3* opened = nullptr;
  sqlite3_open(file().c_str(), &opened);
  sqlite3_busy_timeout(opened, 200);
  const bool could_lock =
      sqlite3_exec(opened, "BEGIN IMMEDIATE; ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK;
  sqlite3_close(opened);
  return could_lock;
}

void fault_test::freeze(process& worker) {
  for (int attempts = 0; attempts < 20; ++attempts) {
    worker.freeze();
    if (on_redis() || file_is_free()) return;
    worker.thaw();
  }
  throw std::runtime_error("the worker seems to hold a lock of the file all the time");
}

void fault_test::kill(process& p) {
  killed_.emplace(p.pid(), now_micros());
  p.kill();
}

void fault_test::open_gate(const std::string& name) const {
  std::ofstream(gate(name)).flush();
}

job_run fault_test::wait_for_start(const std::string& id, std::size_t n, milliseconds max) {
  std::vector<job_run> runs;
  const bool came = eventually(
      [&] {
        runs = past().runs_of(id);
        return runs.size() >= n;
      },
      max);
  if (!came)
    throw std::runtime_error(fmt::format("start {} of job {} did not come within {} ms", n, id, max.count()));
  return runs[n - 1];
}

void fault_test::wait_for_ends(std::size_t runs, milliseconds max) {
  std::size_t ended = 0;
  const bool came = eventually(
      [&] {
        ended = past().ended_runs();
        return ended >= runs;
      },
      max);
  if (!came)
    throw std::runtime_error(fmt::format("{} runs of {} ended within {} ms", ended, runs, max.count()));
}

namespace {

awaitable<job_info> info_of(queue q, std::string id) {
  const auto job = q.find<int>(std::move(id));
  auto found = co_await job.info();
  co_return found;
}

awaitable<cancel_outcome> cancel_of(queue q, std::string id) {
  const auto job = q.find<int>(std::move(id));
  const auto outcome = co_await job.cancel();
  co_return outcome;
}

}  // namespace

job_info fault_test::info(const std::string& id) {
  return run_on_loop(info_of(queue(own_url()), id), soon);
}

cancel_outcome fault_test::cancel(const std::string& id) {
  return run_on_loop(cancel_of(queue(own_url()), id), soon);
}

void fault_test::wait_for_state(const std::string& id, job_state wanted, milliseconds max) {
  auto seen = job_state::queued;
  const bool came = eventually(
      [&] {
        seen = state(id);
        return seen == wanted;
      },
      max);
  if (came) return;
  throw std::runtime_error(fmt::format("job {} is {}, and did not become {} within {} ms", id,
                                       to_string(seen), to_string(wanted), max.count()));
}

broker::queue_summary fault_test::summary() {
  const auto all = ask<std::vector<broker::queue_summary>>([](broker::broker& b) { return b.queues(); });
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& q) { return q.name == "default"; });
  return found == all.end() ? broker::queue_summary{} : *found;
}

void fault_test::enqueue_raw(std::vector<std::pair<std::string, std::string>> ids_and_records) {
  std::vector<broker::new_job> jobs;
  for (auto& [id, record] : ids_and_records) {
    jobs.emplace_back();
    jobs.back().id = id;
    jobs.back().record = record;
  }
  ask<std::vector<broker::accepted>>([jobs](broker::broker& b) { return b.enqueue("default", jobs); });
}

std::size_t fault_test::requeue(strings ids) {
  return ask<std::size_t>([ids](broker::broker& b) { return b.requeue("default", ids); });
}

}  // namespace quarq::test
