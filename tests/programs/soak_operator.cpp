// An operator of a soak: looks at jobs, requeues, purges and cancels them, by chance, and notes in the journal
// (QUARQ_SOAK_JOURNAL) what it asked for and what it was told. Ends on SIGTERM.
//
//     soak_operator --broker URL --seed N
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/quarq.hpp>

#include "broker/broker.hpp"
#include "clients/cancel.hpp"
#include "programs/die_with_parent.hpp"
#include "programs/soak_program.hpp"
#include "soak/journal.hpp"
#include "soak/soak_tasks.hpp"

namespace quarq::soak {
namespace {

using broker::job_details;

constexpr std::size_t a_page = 50;
constexpr job_state all_states[] = {job_state::queued,    job_state::deferred, job_state::running,
                                    job_state::succeeded, job_state::failed,   job_state::dead,
                                    job_state::cancelled, job_state::expired};

class an_operator {
 public:
  an_operator(std::shared_ptr<broker::broker> at, journal_writer& journal, std::uint32_t seed)
      : at_(std::move(at)), journal_(journal), random_(seed) {}

  awaitable<void> run() {
    while (!asked_to_stop) {
      try {
        co_await do_something();
      } catch (const broker_error& e) {
        fmt::print(stderr, "soak_operator: {}\n", e.what());
      }
      co_await sleep_for(std::chrono::milliseconds(below(300)));
    }
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  awaitable<void> do_something() {
    switch (below(8)) {
      case 0:
      case 1:
        co_await requeue();
        break;
      case 2:
        co_await purge_spare_queue();
        break;
      case 3:
        co_await purge_dead();
        break;
      case 4:
        co_await cancel();
        break;
      case 5:
        co_await look_around();
        break;
      default:
        co_await look_at_a_job();
        break;
    }
  }

  /// One that is listed, if there is one.
  awaitable<std::optional<job_details>> pick(std::string queue, job_state state) {
    auto listed = co_await at_->list(queue, state, a_page);
    std::optional<job_details> picked;
    if (!listed.empty()) picked = std::move(listed[below(listed.size())]);
    co_return picked;
  }

  awaitable<void> requeue() {
    const auto dead = co_await pick(main_queue, job_state::dead);
    if (!dead || dead->id.starts_with(cron_prefix)) co_return;
    journal_.note("requeue", {dead->id});
    std::vector<std::string> ids{dead->id};
    const auto count = co_await at_->requeue(main_queue, std::move(ids));
    if (count > 0) journal_.note("requeued", {dead->id});
  }

  awaitable<void> purge(std::string queue, job_state state) {
    const auto number = std::to_string(++purges_);
    journal_.note("purge", {number, queue, to_string(state)});
    const auto count = co_await at_->purge(queue, state);
    journal_.note("purged", {number, std::to_string(count)});
  }

  awaitable<void> purge_spare_queue() {
    const auto state = all_states[below(std::size(all_states))];
    if (state != job_state::running) co_await purge(spare_queue, state);
  }

  // Seldom, so that some are left to be requeued.
  awaitable<void> purge_dead() {
    if (below(10) == 0) co_await purge(main_queue, job_state::dead);
  }

  awaitable<void> cancel() {
    constexpr job_state can_be[] = {job_state::queued, job_state::deferred, job_state::running};
    const auto job = co_await pick(spare_queue, can_be[below(std::size(can_be))]);
    if (!job) co_return;
    journal_.note("cancelling", {job->id});
    const auto answer = co_await clients::cancel(at_, spare_queue, job->id);
    constexpr const char* names[] = {"cancelled", "requested", "too_late", "not_found"};
    journal_.note("cancel", {job->id, names[static_cast<int>(answer)]});
  }

  awaitable<void> look_around() {
    const auto queues = co_await at_->queues();
    const auto workers = co_await at_->workers(main_queue);
    const auto warnings = co_await at_->warnings();
  }

  awaitable<void> look_at_a_job() {
    const auto* const queue = below(3) == 0 ? spare_queue : main_queue;
    const auto listed = co_await pick(queue, all_states[below(std::size(all_states))]);
    if (!listed) co_return;
    const auto job = co_await at_->inspect(queue, listed->id);
    if (job && is_final(job->state)) journal_.note("saw", {job->id, to_string(job->state)});
  }

  std::shared_ptr<broker::broker> at_;
  journal_writer& journal_;
  std::mt19937 random_;
  std::size_t purges_ = 0;
};

awaitable<void> operate(std::string url, journal_writer& journal, std::uint32_t seed) {
  const auto loop = co_await boost::asio::this_coro::executor;
  an_operator one(broker::open(url, loop), journal, seed);
  co_await one.run();
}

}  // namespace
}  // namespace quarq::soak

int main(int argc, char** argv) {
  using namespace quarq::soak;
  quarq::test::die_with_parent();
  std::string broker = quarq::default_broker_url();
  std::uint32_t seed = 1;
  CLI::App app("An operator of a soak.");
  app.add_option("--broker", broker);
  app.add_option("--seed", seed);
  CLI11_PARSE(app, argc, argv);
  return run_with_journal("soak_operator",
                          [&](journal_writer& journal) { return operate(broker, journal, seed); });
}
