// A client of a soak: enqueues jobs of all kinds, waits for some and cancels some, and notes in the journal
// (QUARQ_SOAK_JOURNAL) what it was told. Ends on SIGTERM when all its waits have ended.
//
//     soak_client --broker URL --seed N --senders N
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/quarq.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/soak_program.hpp"
#include "soak/journal.hpp"
#include "soak/soak_tasks.hpp"

namespace quarq::soak {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Longer than any fault lasts.
constexpr milliseconds longest_wait = 90s;
constexpr auto kept = std::chrono::hours(1);

class sender {
 public:
  sender(queue to, queue spare, journal_writer& journal, std::uint32_t seed, int which)
      : to_(std::move(to)),
        spare_(std::move(spare)),
        journal_(journal),
        random_(seed),
        name_(fmt::format("{}-{}", getpid(), which)) {}

  awaitable<void> run() {
    while (!asked_to_stop) {
      bool failed = false;
      try {
        co_await send_one();
      } catch (const broker_error& e) {
        // Not acknowledged, so nobody counts on it.
        fmt::print(stderr, "soak_client: {}\n", e.what());
        failed = true;
      }
      co_await sleep_for(failed ? 100ms : milliseconds(below(100)));
    }
  }

 private:
  int below(std::int64_t limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  std::string id(std::string_view prefix) { return fmt::format("{}{}-{}", prefix, name_, number_); }

  awaitable<void> send_one() {
    ++number_;
    switch (below(15)) {
      case 0:
        co_await send(slow(number_, below(1'000)).id(id("slow-")));
        break;
      case 1:
        co_await send(retried(number_, below(3)).id(id(retried_prefix)).backoff(quickly()).attempts(20));
        break;
      case 2:
        co_await send(on_thread(number_, below(50)).id(id("thread-")));
        break;
      case 3:
        co_await send(in_process(number_).id(id(process_prefix)));
        break;
      case 4:
        co_await send(slow(number_, below(300)).id(id(once_prefix)).attempts(1));
        break;
      case 5:
        co_await send_deferred();
        break;
      case 6:
        co_await send_to_cancel();
        break;
      case 7:
        co_await send_void();
        break;
      case 8:
        co_await send_unique();
        break;
      case 9:
        co_await send_batch();
        break;
      case 10:
        co_await send_doomed();
        break;
      case 11:
      case 12:
        co_await send_to_spare_queue();
        break;
      default:
        co_await send(quick(number_));
        break;
    }
  }

  static retry_policy quickly() { return backoff::constant(50ms); }

  awaitable<void> send(call<std::int64_t> what) {
    const auto before = true_time();
    const auto sent = co_await to_.enqueue(std::move(what.keep_result(kept)));
    note_accepted(sent.id(), number_, before);
    if (below(2) == 0) co_await wait_for(sent);
  }

  awaitable<void> send_deferred() {
    const milliseconds delay(below(longest_delay.count()));
    auto what = quick(number_).id(id("deferred-")).delay(delay).keep_result(kept);
    const auto before = true_time();
    const auto sent = co_await to_.enqueue(std::move(what));
    note_accepted(sent.id(), number_, before, delay);
  }

  awaitable<void> send_to_cancel() {
    auto what =
        slow(number_, below(400)).id(id(cancelled_prefix)).delay(milliseconds(below(200))).keep_result(kept);
    const auto before = true_time();
    const auto sent = co_await to_.enqueue(std::move(what));
    note_accepted(sent.id(), number_, before);
    co_await sleep_for(milliseconds(below(300)));
    journal_.note("cancelling", {sent.id()});
    const auto outcome = co_await sent.cancel();
    constexpr const char* names[] = {"cancelled", "requested", "too_late", "not_found"};
    journal_.note("cancel", {sent.id(), names[static_cast<int>(outcome)]});
  }

  awaitable<void> send_doomed() {
    constexpr int always = 1'000'000;
    co_await send(retried(number_, always).id(id(doomed_prefix)).backoff(quickly()).attempts(3));
  }

  // Nobody waits for these: they may be purged at any time.
  awaitable<void> send_to_spare_queue() {
    const milliseconds delay(below(2) * below(longest_delay.count()));
    auto what = slow(number_, below(200)).id(id(spare_prefix)).delay(delay).keep_result(kept);
    const auto before = true_time();
    const auto sent = co_await spare_.enqueue(std::move(what));
    note_accepted(sent.id(), number_, before, delay);
  }

  awaitable<void> send_void() {
    auto what = no_result(number_).id(id(void_prefix));
    const auto before = true_time();
    const auto sent = co_await to_.enqueue(std::move(what));
    note_accepted(sent.id(), number_, before);
  }

  // Many clients send the same few ids. One that is refused is no error.
  awaitable<void> send_unique() {
    auto what = slow(number_, below(30)).id(fmt::format("{}{}", unique_prefix, below(8))).keep_result(0ms);
    const auto taken = what.options().id.value();
    std::optional<std::string> accepted;
    const auto before = true_time();
    try {
      const auto sent = co_await to_.enqueue(std::move(what));
      accepted = sent.id();
    } catch (const duplicate_job&) {
    }
    if (accepted) {
      note_accepted(*accepted, number_, before);
    } else {
      journal_.note("refused", {taken});
    }
  }

  awaitable<void> send_batch() {
    std::vector<call<std::int64_t>> calls;
    const auto first = number_;
    for (int i = 0; i < 10; ++i) calls.push_back(quick(number_++).keep_result(kept));
    const auto before = true_time();
    const auto sent = co_await to_.enqueue(std::move(calls));
    for (std::size_t i = 0; i < sent.size(); ++i) {
      note_accepted(sent[i].value().id(), first + static_cast<std::int64_t>(i), before);
    }
  }

  awaitable<void> wait_for(job<std::int64_t> sent) {
    std::int64_t result = 0;
    auto state = job_state::succeeded;
    try {
      result = co_await sent.result(longest_wait);
    } catch (const broker_error&) {
      co_return;  // Nobody said how it ended.
    } catch (const timed_out&) {
      journal_.note("got", {sent.id(), "nothing", "0"});
      co_return;
    } catch (const cancelled&) {
      state = job_state::cancelled;
    } catch (const job_failed&) {
      state = job_state::dead;
    } catch (const error&) {
      state = job_state::dead;
    }
    journal_.note("got", {sent.id(), to_string(state), std::to_string(result)});
  }

  void note_accepted(const std::string& id, std::int64_t number, micros sent, milliseconds delay = {}) {
    const auto text = [](micros at) { return std::to_string(at.time_since_epoch().count()); };
    journal_.note("acked", {id, std::to_string(number), text(sent + delay), text(sent)});
  }

  queue to_, spare_;
  journal_writer& journal_;
  std::mt19937 random_;
  const std::string name_;
  std::int64_t number_ = 0;
};

awaitable<void> run_senders(std::string broker, std::uint32_t seed, int count, journal_writer& journal) {
  const queue to(broker, main_queue), spare(broker, spare_queue);
  std::vector<std::unique_ptr<sender>> senders;
  std::vector<awaitable<void>> running;
  for (int i = 0; i < count; ++i) {
    senders.push_back(std::make_unique<sender>(to, spare, journal, seed + static_cast<std::uint32_t>(i), i));
    running.push_back(senders.back()->run());
  }
  co_await gather(std::move(running));
}

}  // namespace
}  // namespace quarq::soak

int main(int argc, char** argv) {
  using namespace quarq::soak;
  quarq::test::die_with_parent();
  std::string broker = quarq::default_broker_url();
  std::uint32_t seed = 1;
  int senders = 10;
  CLI::App app("A client of a soak.");
  app.add_option("--broker", broker);
  app.add_option("--seed", seed);
  app.add_option("--senders", senders);
  CLI11_PARSE(app, argc, argv);
  return run_with_journal(
      "soak_client", [&](journal_writer& journal) { return run_senders(broker, seed, senders, journal); });
}
