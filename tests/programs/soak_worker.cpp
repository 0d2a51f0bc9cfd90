// The worker of a soak. Its command line is that of every worker; QUARQ_SOAK_JOURNAL names the journal.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

#include <quarq/quarq.hpp>

#include "programs/die_with_parent.hpp"
#include "soak/journal.hpp"
#include "soak/soak_tasks.hpp"

namespace quarq::soak {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<journal_writer> journal;
std::atomic<std::uint64_t> runs{0};

/// Notes its begin, and its end if the handler gets there.
class noted_run {
 public:
  explicit noted_run(const context& ctx) : id_(ctx.id()), run_(std::to_string(++runs)) {
    journal->note("start", {id_, run_, std::to_string(ctx.attempt())});
  }
  void end(const char* how = "ok") const { journal->note("end", {id_, run_, how}); }

 private:
  std::string id_, run_;
};

awaitable<std::int64_t> do_quick(context& ctx, std::int64_t number) {
  const noted_run run(ctx);
  run.end();
  co_return answer_to(number);
}

awaitable<std::int64_t> do_slow(context& ctx, std::int64_t number, int ms) {
  const noted_run run(ctx);
  co_await sleep_for(milliseconds(ms));
  run.end();
  co_return answer_to(number);
}

awaitable<std::int64_t> do_retried(context& ctx, std::int64_t number, int failures) {
  const noted_run run(ctx);
  if (ctx.attempt() <= failures) {
    run.end("failed");
    throw std::runtime_error("on purpose");
  }
  run.end();
  co_return answer_to(number);
}

std::int64_t do_on_thread(context& ctx, std::int64_t number, int ms) {
  const noted_run run(ctx);
  std::this_thread::sleep_for(milliseconds(ms));
  run.end();
  return answer_to(number);
}

std::int64_t do_in_process(std::int64_t number) {
  return answer_to(number);
}

awaitable<void> do_no_result(context& ctx, std::int64_t) {
  const noted_run run(ctx);
  run.end();
  co_return;
}

awaitable<void> each_second(context& ctx) {
  const noted_run run(ctx);
  run.end();
  co_return;
}

}  // namespace
}  // namespace quarq::soak

int main(int argc, char** argv) {
  using namespace quarq::soak;
  quarq::test::die_with_parent();
  const char* path = std::getenv("QUARQ_SOAK_JOURNAL");
  if (path == nullptr) return 2;
  journal = std::make_unique<journal_writer>(path);
  quarq::worker worker;
  worker.handle(quick, do_quick);
  worker.handle(slow, do_slow);
  worker.handle(retried, do_retried);
  worker.handle(on_thread, do_on_thread);
  worker.handle(in_process, do_in_process, {.on = quarq::level::process});
  worker.handle(no_result, do_no_result);
  worker.cron("second", each_second, {.second = "*"});
  return worker.main(argc, argv);
}
