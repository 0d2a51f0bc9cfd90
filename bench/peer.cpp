#include "peer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <quarq/gather.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>
#include <quarq/task.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "peer_ledger.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

constexpr std::size_t in_flight = 50, bulk = 1000;
constexpr std::chrono::seconds hold_time{300};

constexpr task<void(std::string)> noop{"noop"};
constexpr task<std::int64_t(std::string)> kept{"kept"};  // noop, as far as the defaults are measured
constexpr task<void(std::string)> hold{"hold"};

std::string setting(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(fmt::format("{} is not set", name));
  return value;
}

bool fast() {
  return setting("BENCH_CONFIG") != "defaults";
}

queue bench_queue() {
  return queue(setting("BENCH_URL"), "bench");
}

struct numbers {
  std::size_t next, end;
};

template <class R>
awaitable<void> one(queue q, task<R(std::string)> what, numbers& some) {
  while (some.next < some.end) {
    auto call = what(text_of_job(some.next++));
    auto job = co_await q.enqueue(std::move(call));
  }
}

template <class R>
awaitable<void> fifty(queue q, task<R(std::string)> what, numbers& some) {
  std::vector<awaitable<void>> senders;
  for (std::size_t i = 0; i < in_flight; ++i) senders.push_back(one(q, what, some));
  co_await gather(std::move(senders));
}

template <class R>
awaitable<void> in_bulk(queue q, task<R(std::string)> what, numbers& some) {
  while (some.next < some.end) {
    std::vector<call<R>> calls;
    const auto end = std::min(some.end, some.next + bulk);
    calls.reserve(end - some.next);
    while (some.next < end) calls.push_back(what(text_of_job(some.next++)));
    auto jobs = co_await q.enqueue(std::move(calls));
  }
}

template <class R>
awaitable<void> send(queue q, task<R(std::string)> what, std::string_view mode, numbers some) {
  if (mode == "one") {
    co_await one(q, what, some);
  } else if (mode == "in_flight") {
    co_await fifty(q, what, some);
  } else {
    co_await in_bulk(q, what, some);
  }
}

// The first tenth warms up.
template <class R>
awaitable<void> fill(task<R(std::string)> what, std::string_view mode, std::size_t first, std::size_t count) {
  auto q = bench_queue();
  const std::size_t warm = count > 1 ? std::clamp<std::size_t>(count / 10, 1, bulk) : 0;
  const numbers warming{first, first + warm}, timed{first + warm, first + count};
  co_await send(q, what, mode, warming);
  const stopwatch watch;
  co_await send(q, what, mode, timed);
  fmt::print("{{\"jobs\": {}, \"seconds\": {:.9f}}}\n", count - warm, watch.seconds());
}

template <class R>
awaitable<void> send_one(queue q, task<R(std::string)> what, std::size_t number) {
  auto call = what(text_of_job(number));
  auto job = co_await q.enqueue(std::move(call));
}

template <class R>
awaitable<void> pace(task<R(std::string)> what, std::size_t first, std::size_t count, double rate) {
  const auto q = bench_queue();
  std::vector<std::uint64_t> sent;
  sent.reserve(count);
  auto all = [&](task_group& group) -> awaitable<void> {
    const auto start = monotonic_ns();
    for (std::size_t n = 0; n < count; ++n) {
      const auto due = start + static_cast<std::uint64_t>(static_cast<double>(n) * 1e9 / rate);
      // Also lets those begin that were sent before.
      const auto now = monotonic_ns();
      if (due > now || n % 16 == 0) {
        const std::chrono::nanoseconds left{due > now ? due - now : 0};
        co_await sleep_for(left);
      }
      sent.push_back(monotonic_ns());
      group.spawn(send_one(q, what, first + n));
    }
  };
  co_await with_task_group(all);
  fmt::print("{{\"sent\": [{}]}}\n", fmt::join(sent, ","));
}

awaitable<void> ask(std::size_t first, std::size_t most, double seconds) {
  auto q = bench_queue();
  std::vector<double> us;
  const stopwatch all;
  for (std::size_t n = 0; n < most && all.seconds() < seconds; ++n) {
    const stopwatch watch;
    auto call = kept(text_of_job(first + n));
    auto job = co_await q.enqueue(std::move(call));
    const auto size = co_await job.result();
    if (size != 120) throw std::runtime_error("a wrong result");
    us.push_back(watch.seconds() * 1e6);
  }
  fmt::print("{{\"us\": [{:.1f}]}}\n", fmt::join(us, ","));
}

std::optional<peer_ledger> ledger;

awaitable<void> do_noop(std::string text) {
  ledger->note(text);
  co_return;
}
awaitable<std::int64_t> do_kept(std::string text) {
  ledger->note(text);
  co_return static_cast<std::int64_t>(text.size());
}
awaitable<void> do_hold(std::string text) {
  ledger->note(text);
  co_await sleep_for(hold_time);
}

int work() {
  ledger.emplace();
  worker w;
  w.handle(noop, do_noop);
  w.handle(kept, do_kept);
  w.handle(hold, do_hold);
  std::vector<std::string> words = {"worker",      "--broker", setting("BENCH_URL"), "--queue", "bench",
                                    "--log-level", "warn"};
  if (fast()) words.insert(words.end(), {"--concurrency", "1000"});
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return w.main(static_cast<int>(words.size()), argv.data());
}

template <class R>
void enqueue_for(const std::vector<std::string>& words, task<R(std::string)> what) {
  const auto number = [&](std::size_t at) { return std::stoul(words.at(at)); };
  if (words.at(0) == "pace") return run(pace(what, number(1), number(2), std::stod(words.at(3))));
  if (words.at(1) == "hold") return run(fill(hold, words.at(2), number(3), number(4)));
  run(fill(what, words.at(2), number(3), number(4)));
}

}  // namespace

int peer_main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string command = words.empty() ? "" : words[0];
  if (command == "work") return work();
  if (command == "ask") {
    run(ask(std::stoul(words.at(1)), std::stoul(words.at(2)), std::stod(words.at(3))));
  } else if (command == "fill" || command == "pace") {
    if (fast()) {
      enqueue_for(words, noop);
    } else {
      enqueue_for(words, kept);
    }
  } else {
    throw std::runtime_error("quarq-bench peer takes fill, pace, ask or work; bench/peers calls it");
  }
  return 0;
}

}  // namespace quarq::bench
