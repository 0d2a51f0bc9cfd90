// How quarq behaves at the edges of what it is made for, on stores of its own. Nothing here is about speed: each
// figure says how long one step holds what all others need.
//
//     quarq-limits kept --results 3000000       results that run out together: pauses of redis-server
//     quarq-limits steady --rate 20000          results kept for 2 s: whether memory and keys level off
//     quarq-limits operators --results 1000000  listings and a purge beside kept results: pauses
//     quarq-limits waiters --waiters 10000      clients that wait for one job: the server's CPU
//     quarq-limits due --jobs 2000000           jobs due at once on SQLite: how long the file is locked
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <quarq/quarq.hpp>

#include "base/ids.hpp"
#include "broker/broker.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace quarq::bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t a_batch = 1000;
constexpr milliseconds as_long_as_it_takes = 1h;
const char* const queue_name = "default";

struct options {
  std::size_t results = 1'000'000, waiters = 10'000, jobs = 2'000'000, rate = 20'000;
  int seconds = 60;
};

double ms_since(clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(clock::now() - begin).count();
}

test::redis_server_options without_persistence() {
  test::redis_server_options o;
  o.extra = {"--save", ""};
  return o;
}

double megabytes(const test::redis_server& server) {
  return std::stod(server.info("memory", "used_memory")) / 1e6;
}

double cpu_of(const test::redis_server& server) {
  return std::stod(server.info("cpu", "used_cpu_user")) + std::stod(server.info("cpu", "used_cpu_sys"));
}

/// Script calls so far.
long long scripts_of(const test::redis_server& server) {
  const auto text = server.info("commandstats", "cmdstat_evalsha");
  const auto at = text.find("calls=");
  return at == std::string::npos ? 0 : std::stoll(text.substr(at + 6));
}

/// Asks a server from a thread of its own, over and over, how long an answer takes; and lets it note its own
/// steps that took 5 ms or longer.
class pause_watch {
 public:
  explicit pause_watch(test::redis_server& of) : server_(of) {
    server_.command({"CONFIG", "SET", "slowlog-log-slower-than", "5000"});
    server_.command({"CONFIG", "SET", "slowlog-max-len", "1000"});
    server_.command({"SLOWLOG", "RESET"});
    cpu_ = cpu_of(server_);
    scripts_ = scripts_of(server_);
    thread_ = std::thread([this] {
      while (!ended_) {
        const auto begin = clock::now();
        server_.command({"PING"});
        pings_.push_back(ms_since(begin));
        std::this_thread::sleep_for(1ms);
      }
    });
  }
  ~pause_watch() { end(); }

  void print(const char* what) {
    end();
    // On a machine that does other things as well, this says more than how long steps took.
    const auto scripts = std::max(1LL, scripts_of(server_) - scripts_);
    const auto cpu = (cpu_of(server_) - cpu_) * 1000;
    std::sort(pings_.begin(), pings_.end());
    const auto at = [&](double part) {
      return pings_.at(static_cast<std::size_t>(part * static_cast<double>(pings_.size() - 1)));
    };
    fmt::print("{}: {} pings: median {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, longest {:.1f} ms\n", what,
               pings_.size(), at(0.5), at(0.99), at(0.999), pings_.back());
    fmt::print("  the server used {:.0f} ms of CPU for {} scripts, {:.2f} ms each, pings included\n", cpu,
               scripts, cpu / static_cast<double>(scripts));
    const auto slow = server_.command({"SLOWLOG", "GET", "1000"}).items;
    double longest = 0;
    for (const auto& one : slow)
      longest = std::max(longest, static_cast<double>(one.items.at(2).integer) / 1000);
    fmt::print("  {} of its steps took 5 ms or longer, the longest {:.1f} ms\n", slow.size(), longest);
  }

 private:
  void end() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }

  test::redis_server& server_;
  std::atomic<bool> ended_{false};
  std::vector<double> pings_;
  double cpu_ = 0;
  long long scripts_ = 0;
  std::thread thread_;
};

/// Does what clients and workers do, in batches: enqueues, claims, ends.
class short_circuit {
 public:
  explicit short_circuit(std::shared_ptr<broker::broker> at) : at_(std::move(at)) {
    held_.queue = queue_name;
    held_.token = base::make_id();
  }

  awaitable<void> open() {
    broker::worker_events events;
    events.work_ready = [](const std::string&) {};
    broker::lease_options as;
    co_await at_->open_lease(held_, as, std::move(events));
  }
  awaitable<void> renew() {
    broker::lease_options as;
    const auto renewed = co_await at_->renew(held_, as);
    if (!renewed.held) throw std::runtime_error("lease lost");
  }
  awaitable<void> close() { co_await at_->close_lease(held_); }

  awaitable<void> enqueue(std::size_t count, milliseconds delay) {
    std::vector<broker::new_job> jobs(count);
    for (auto& job : jobs) {
      job.id = base::make_id();
      job.id_is_fresh = true;
      job.record = std::string(100, 'r');
      job.delay = delay;
    }
    co_await at_->enqueue(queue_name, std::move(jobs));
  }
  awaitable<std::size_t> end_some(std::optional<milliseconds> keep) {
    auto claimed = co_await at_->claim(held_, a_batch);
    std::vector<broker::settlement> ends(claimed.jobs.size());
    for (std::size_t i = 0; i < ends.size(); ++i) {
      ends[i].id = std::move(claimed.jobs[i].id);
      ends[i].outcome = std::string(60, 'o');
      ends[i].keep = keep;
    }
    const auto count = ends.size();
    if (count > 0) co_await at_->settle(held_, std::move(ends));
    co_return count;
  }
  /// That many jobs, with a renewal each second.
  awaitable<void> pass(std::size_t count, std::optional<milliseconds> keep) {
    for (std::size_t done = 0; done < count;) {
      co_await enqueue(std::min(a_batch, count - done), 0ms);
      done += co_await some_ended(keep);
      co_await renew_if_due();
    }
  }
  awaitable<void> renew_if_due() {
    if (clock::now() < renewal_due_) co_return;
    co_await renew();
    renewal_due_ = clock::now() + 1s;
  }

 private:
  awaitable<std::size_t> some_ended(std::optional<milliseconds> keep) {
    std::size_t all = 0;
    while (true) {
      const auto some = co_await end_some(keep);
      all += some;
      if (some < a_batch) break;
    }
    co_return all;
  }

  std::shared_ptr<broker::broker> at_;
  broker::lease held_;
  clock::time_point renewal_due_{};
};

awaitable<std::uint64_t> kept(std::shared_ptr<broker::broker> at) {
  std::uint64_t all = 0;
  const auto queues = co_await at->queues();
  for (const auto& q : queues) all += q.kept;
  co_return all;
}

template <class F>
void with_broker(const std::string& url, F body) {
  const auto run = [](std::string place, F with) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    const auto at = broker::open(place, loop);
    co_await with(at);
  };
  test::run_on_loop(run(url, body), as_long_as_it_takes);
}

// ---- kept

awaitable<void> make_results(std::shared_ptr<broker::broker> at, std::size_t count, milliseconds keep) {
  short_circuit jobs(at);
  co_await jobs.open();
  co_await jobs.pass(count, keep);
  co_await jobs.close();
}

awaitable<void> let_run_out(std::shared_ptr<broker::broker> at, const options& o,
                            test::redis_server& server) {
  // Each is kept until about the same moment.
  const auto until = clock::now() + milliseconds(o.results / 10) + 30s;
  short_circuit jobs(at);
  co_await jobs.open();
  for (std::size_t done = 0; done < o.results; done += a_batch) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    if (left < 1s) throw std::runtime_error("this machine is too slow: give more time");
    co_await jobs.pass(a_batch, left);
  }
  const auto there = co_await kept(at);
  const auto full = megabytes(server);
  fmt::print("{} results are kept, {:.0f} MB\n", there, full);
  std::fflush(stdout);
  while (clock::now() < until - 1s) {
    co_await jobs.renew();
    co_await sleep_for(500ms);
  }
  const auto began = clock::now();
  pause_watch watch(server);
  // What is over is not counted any more, but takes memory until it is removed.
  while (megabytes(server) > full / 20 && clock::now() - began < 20min) {
    co_await jobs.renew();
    co_await sleep_for(1s);
  }
  fmt::print("{:.0f} MB are left {:.0f} s after they began to run out\n", megabytes(server),
             ms_since(began) / 1000);
  watch.print("while they went");
  co_await jobs.close();
}

void measure_kept(const options& o) {
  test::redis_server server(without_persistence());
  with_broker(server.url(), [&](std::shared_ptr<broker::broker> at) { return let_run_out(at, o, server); });
}

// ---- steady

awaitable<void> keep_a_rate(std::shared_ptr<broker::broker> at, const options& o,
                            test::redis_server& server) {
  short_circuit jobs(at);
  co_await jobs.open();
  const auto began = clock::now();
  std::size_t done = 0, reported_at = 0;
  while (ms_since(began) < o.seconds * 1000.0) {
    const auto wanted = static_cast<std::size_t>(ms_since(began) / 1000 * static_cast<double>(o.rate));
    if (done < wanted) {
      co_await jobs.pass(std::min(a_batch, wanted - done), 2s);
      done += std::min(a_batch, wanted - done);
    } else {
      co_await sleep_for(5ms);
    }
    if (ms_since(began) / 1000 > static_cast<double>(reported_at)) {
      reported_at += 5;
      const auto there = co_await kept(at);
      fmt::print("{:5.0f} s: {} jobs done, {} results kept, {} keys, {:.1f} MB\n", ms_since(began) / 1000,
                 done, there, server.command({"DBSIZE"}).integer, megabytes(server));
      std::fflush(stdout);
    }
  }
  co_await jobs.close();
}

void measure_steady(const options& o) {
  test::redis_server server(without_persistence());
  with_broker(server.url(), [&](std::shared_ptr<broker::broker> at) { return keep_a_rate(at, o, server); });
}

// ---- operators

void command_beside(test::redis_server& server, std::vector<std::string> words) {
  const auto title = fmt::format("quarq {}", fmt::join(words, " "));
  words.insert(words.begin(), test::program("quarq"));
  words.insert(words.end(), {"--broker", server.url()});
  pause_watch watch(server);
  const auto began = clock::now();
  test::process command(words);
  const auto end = command.wait(10min);
  const auto took = ms_since(began);
  watch.print(title.c_str());
  fmt::print("  it took {:.0f} ms and ended with {}; {}\n", took, end ? end->code : -1,
             test::tail(command.output() + command.log(), 1));
  std::fflush(stdout);
}

void measure_operators(const options& o) {
  test::redis_server server(without_persistence());
  with_broker(server.url(),
              [&](std::shared_ptr<broker::broker> at) { return make_results(at, o.results, 1h); });
  command_beside(server, {"queues"});
  command_beside(server, {"jobs"});
  command_beside(server, {"jobs", "--state", "dead"});
  command_beside(server, {"jobs", "--state", "succeeded", "--limit", "100000"});
  command_beside(server, {"purge", "--state", "succeeded", "--yes"});
}

// ---- waiters

awaitable<void> wait_for_one(std::shared_ptr<broker::broker> at, std::string id, std::size_t& notified) {
  const auto end = co_await at->wait_ended(queue_name, id);
  if (end) ++notified;
}

awaitable<void> let_wait(std::shared_ptr<broker::broker> at, const options& o, test::redis_server& server) {
  std::vector<broker::new_job> jobs(1);
  const auto id = jobs.front().id = base::make_id();
  jobs.front().record = "r";
  co_await at->enqueue(queue_name, std::move(jobs));
  std::size_t notified = 0;
  const auto body = [&](task_group& all) -> awaitable<void> {
    for (std::size_t i = 0; i < o.waiters; ++i) all.spawn(wait_for_one(at, id, notified));
    co_await sleep_for(5s);
    const auto before = cpu_of(server);
    const auto began = clock::now();
    co_await sleep_for(std::chrono::seconds(o.seconds));
    fmt::print("{} waiters: the server used {:.2f} % of a core over {:.0f} s\n", o.waiters,
               (cpu_of(server) - before) / (ms_since(began) / 1000) * 100, ms_since(began) / 1000);
    short_circuit worker(at);
    co_await worker.open();
    const auto ended = clock::now();
    co_await worker.end_some(1h);
    while (notified < o.waiters && ms_since(ended) < 60'000) co_await sleep_for(1ms);
    fmt::print("{} of them were told of the end within {:.0f} ms\n", notified, ms_since(ended));
    co_await worker.close();
  };
  co_await with_task_group(body);
}

void measure_waiters(const options& o) {
  test::redis_server server(without_persistence());
  with_broker(server.url(), [&](std::shared_ptr<broker::broker> at) { return let_wait(at, o, server); });
}

// ---- due

/// Looks, over and over, whether some process has SQLite's write lock of a file.
class lock_watch {
 public:
  explicit lock_watch(const std::string& file) : shm_(open((file + "-shm").c_str(), O_RDWR | O_CLOEXEC)) {
    if (shm_ < 0) throw std::runtime_error("no file " + file + "-shm");
    thread_ = std::thread([this] { look(); });
  }
  ~lock_watch() {
    end();
    close(shm_);
  }
  void print() {
    end();
    std::sort(holds_.begin(), holds_.end());
    if (holds_.empty()) return;
    const auto at = [&](double part) {
      return holds_.at(static_cast<std::size_t>(part * static_cast<double>(holds_.size() - 1)));
    };
    fmt::print("the write lock was held {} times: median {:.1f} ms, p99 {:.1f} ms, longest {:.1f} ms\n",
               holds_.size(), at(0.5), at(0.99), holds_.back());
  }

 private:
  bool is_held() const {
    constexpr int write_lock = 120;  // https://sqlite.org/walformat.html#wal_locks
    struct flock asked{};
    asked.l_type = F_WRLCK;
    asked.l_whence = SEEK_SET;
    asked.l_start = write_lock;
    asked.l_len = 1;
    return fcntl(shm_, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
  }
  void look() {
    while (!ended_) {
      const auto began = clock::now();
      while (is_held() && !ended_) std::this_thread::sleep_for(200us);
      if (const auto held = ms_since(began); held > 0.15) holds_.push_back(held);
      std::this_thread::sleep_for(100us);
    }
  }
  void end() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }

  int shm_;
  std::atomic<bool> ended_{false};
  std::vector<double> holds_;
  std::thread thread_;
};

awaitable<void> let_become_due(std::shared_ptr<broker::broker> at, const options& o,
                               const std::string& file) {
  const auto due =
      std::chrono::ceil<milliseconds>(std::chrono::system_clock::now()) + milliseconds(o.jobs / 20) + 10s;
  for (std::size_t sent = 0; sent < o.jobs; sent += a_batch) {
    std::vector<broker::new_job> jobs(std::min(a_batch, o.jobs - sent));
    for (auto& job : jobs) {
      job.id = base::make_id();
      job.id_is_fresh = true;
      job.record = std::string(100, 'r');
      job.at = due;
    }
    co_await at->enqueue(queue_name, std::move(jobs));
  }
  if (std::chrono::system_clock::now() > due)
    throw std::runtime_error("this machine is too slow: fewer jobs");
  fmt::print("{} jobs are deferred\n", o.jobs);
  std::fflush(stdout);
  short_circuit worker(at);
  co_await worker.open();
  lock_watch watch(file);
  while (std::chrono::system_clock::now() < due + 1s) {
    co_await worker.renew();
    co_await sleep_for(200ms);
  }
  const auto began = clock::now();
  std::size_t done = 0;
  double slowest = 0;
  while (done < o.jobs && ms_since(began) < 120'000) {
    const auto asked = clock::now();
    done += co_await worker.end_some(0ms);
    slowest = std::max(slowest, ms_since(asked));
    co_await worker.renew_if_due();
  }
  fmt::print("{} jobs ended in {:.1f} s; the slowest claim and settlement of 1000 took {:.1f} ms\n", done,
             ms_since(began) / 1000, slowest);
  watch.print();
  co_await worker.close();
}

void measure_due(const options& o) {
  const test::temp_dir folder;
  const auto file = folder / "jobs.db";
  with_broker("sqlite:" + file,
              [&](std::shared_ptr<broker::broker> at) { return let_become_due(at, o, file); });
}

}  // namespace
}  // namespace quarq::bench

int main(int argc, char** argv) {
  using namespace quarq::bench;
  options o;
  CLI::App app("Measures how long single steps hold what all others need, on stores of its own.");
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* what, void (*measure)(const options&)) {
    auto* const command = app.add_subcommand(name, what);
    command->callback([measure, &o] { measure(o); });
    return command;
  };
  add("kept", "results that run out together", measure_kept)->add_option("--results", o.results);
  auto* const steady = add("steady", "results kept for 2 s", measure_steady);
  steady->add_option("--rate", o.rate, "jobs a second");
  steady->add_option("--seconds", o.seconds);
  add("operators", "commands beside kept results", measure_operators)->add_option("--results", o.results);
  auto* const waiters = add("waiters", "waiters for one job", measure_waiters);
  waiters->add_option("--waiters", o.waiters);
  waiters->add_option("--seconds", o.seconds);
  add("due", "jobs due at once on SQLite", measure_due)->add_option("--jobs", o.jobs);
  try {
    CLI11_PARSE(app, argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "quarq-limits: {}\n", e.what());
    return 1;
  }
  return 0;
}
