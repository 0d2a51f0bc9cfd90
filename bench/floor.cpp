#include "floor.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "bare_client.hpp"
#include "broker/redis/scripts.hpp"
#include "stopwatch.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

constexpr std::size_t batch = 100;
const std::string group = "floor (redis)";

void measure_lists(report& out, bare_client& client, std::size_t jobs) {
  const auto timed = [&](const std::string& what, const std::vector<std::string>& command) {
    const stopwatch watch;
    for (std::size_t i = 0; i < jobs; i += batch) {
      for (std::size_t k = 0; k < batch; ++k) client.add(command);
      client.flush();
      for (std::size_t k = 0; k < batch; ++k) client.read();
    }
    out.add({group, what, static_cast<double>(jobs) / watch.seconds(), "jobs/s", "100 in a write"});
  };
  timed("plain RPUSH", {"RPUSH", "floor:list", argument()});
  timed("plain LPOP", {"LPOP", "floor:list"});
}

awaitable<void> fill(std::string url, std::size_t jobs, std::string token) {
  queue q(url, "floor");
  for (std::size_t i = 0; i < jobs; i += 1000) {
    std::vector<call<void>> calls;
    for (std::size_t k = 0; k < 1000; ++k) calls.push_back(forget(argument()));
    auto sent = co_await q.enqueue(std::move(calls));
  }
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = broker::open(url, loop);
  broker::lease lease{"floor", token};
  broker::lease_options terms;
  terms.duration = std::chrono::minutes(10);
  broker::worker_events events;
  co_await broker->open_lease(lease, terms, std::move(events));
}

// Our claim.lua and settle.lua, two batches of 100 in flight at any time; what is claimed is settled at once.
double scripts_rate(bare_client& client, std::size_t jobs, const std::string& token,
                    broker::milliseconds keep) {
  const auto& scripts = broker::redis::scripts();
  for (const auto* one : {&scripts.claim, &scripts.settle})
    client.call({"SCRIPT", "LOAD", std::string(one->text)});
  const std::string prefix = broker::redis::key_prefix("floor");
  broker::settlement same;
  same.keep = keep;
  const std::string terms = broker::redis::pack_settlement(same);
  const std::string outcome(100, 'o');
  const std::vector<std::string> claim_command = {"EVALSHA", scripts.claim.sha1,   "1", prefix,
                                                  token,     std::to_string(batch)};
  enum class sent { claim, settle };
  std::deque<sent> under_way;
  std::size_t settled = 0, claims = 0, settles = 0;
  const auto ask = [&] {
    if (claims * batch >= jobs) return;
    client.add(claim_command);
    under_way.push_back(sent::claim);
    ++claims;
  };
  const stopwatch watch;
  ask();
  ask();
  client.flush();
  while (!under_way.empty()) {
    const auto reply = client.read();
    const auto what = under_way.front();
    under_way.pop_front();
    if (what == sent::settle) {
      if (!reply.text.empty()) throw std::runtime_error("the floor's settle was refused");
      continue;
    }
    const auto& ids = reply.items.at(2).items;
    const std::string answered = settles == 0 ? "" : std::to_string(settles - 1);
    std::vector<std::string> settle = {"EVALSHA", scripts.settle.sha1,       "1",      prefix,
                                       token,     std::to_string(settles++), answered, terms};
    for (const auto& id : ids) {
      settle.push_back(id.text);
      settle.push_back(outcome);
    }
    settled += ids.size();
    client.add(settle);
    under_way.push_back(sent::settle);
    ask();
    client.flush();
  }
  return static_cast<double>(settled) / watch.seconds();
}

void measure_scripts(report& out, int port, std::size_t jobs) {
  const std::string url = fmt::format("redis://127.0.0.1:{}", port);
  bare_client client(port);
  const auto timed = [&](const std::string& what, const std::string& token, broker::milliseconds keep) {
    run(fill(url, jobs, token));
    const double before = server_cpu_seconds(client);
    const double rate = scripts_rate(client, jobs, token, keep);
    out.add({group, what, rate, "jobs/s",
             fmt::format("server {:.1f} us/job",
                         (server_cpu_seconds(client) - before) / static_cast<double>(jobs) * 1e6)});
  };
  timed("claim and settle, results kept", "floor-token-1", std::chrono::hours(1));
  timed("claim and settle, no result", "floor-token-2", broker::milliseconds(0));
}

}  // namespace

// Two clients, each on a thread of its own, pass one token back and forth through RPUSH and BLPOP.
void measure_redis_token(report& out, int port) {
  constexpr int warm_up = 500, count = 5000;
  std::thread other([port] {
    bare_client client(port);
    for (int i = 0; i < warm_up + count; ++i) {
      client.call({"BLPOP", "floor:there", "0"});
      client.call({"RPUSH", "floor:back", argument()});
    }
  });
  bare_client client(port);
  std::vector<double> times;
  for (int i = 0; i < warm_up + count; ++i) {
    const stopwatch watch;
    client.call({"RPUSH", "floor:there", argument()});
    client.call({"BLPOP", "floor:back", "0"});
    if (i >= warm_up) times.push_back(watch.seconds() * 1e6);
  }
  other.join();
  std::sort(times.begin(), times.end());
  out.add({group, "token there and back, p50", times[times.size() / 2], "us", ""});
  out.add({group, "token there and back, p99", times[times.size() * 99 / 100], "us", ""});
}

void measure_redis_floor(report& out, int port, std::size_t jobs) {
  bare_client client(port);
  measure_lists(out, client, jobs);
  measure_scripts(out, port, jobs);
  measure_redis_token(out, port);
}

void measure_disk_floor(report& out, const std::string& folder) {
  const std::string path = folder + "/synced";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  constexpr int count = 2000;
  const stopwatch watch;
  for (int i = 0; i < count; ++i) {
    if (::write(file, page.data(), page.size()) != static_cast<ssize_t>(page.size()) ||
        ::fdatasync(file) != 0) {
      ::close(file);
      throw std::runtime_error("could not write to " + path);
    }
  }
  out.add({"floor (sqlite)", "4 KiB append and fdatasync", count / watch.seconds(), "syncs/s", ""});
  ::close(file);
}

}  // namespace quarq::bench
