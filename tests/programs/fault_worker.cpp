// The worker of the fault tests. Its command line is that of every worker; beyond it, from the environment:
//   QUARQ_TEST_HISTORY       the file to which each try appends its start and its end
//   QUARQ_TEST_FIXED         if set: the handlers that throw and crash have been mended
//   QUARQ_TEST_STOP_WAIT_MS  worker_options::cancel_timeout
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <boost/asio/this_coro.hpp>
#include <unistd.h>

#include <quarq/quarq.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/fault_tasks.hpp"
#include "support/history.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

constexpr auto look_again_after = 2ms;

std::unique_ptr<history_writer> book;
std::atomic<std::uint64_t> runs{0};
bool fixed = false;

/// One try: a line in the history where it begins, and one where it ends by itself.
class noted_run {
 public:
  explicit noted_run(const context& ctx) : ctx_(ctx), number_(++runs) { write("start"); }
  void end() const { write("end"); }

 private:
  void write(const char* event) const {
    if (book) book->note(event, number_, ctx_.attempt(), ctx_.id());
  }

  const context& ctx_;
  std::uint64_t number_;
};

std::string who(const context& ctx) {
  return std::to_string(getpid()) + " try " + std::to_string(ctx.attempt());
}

bool is_open(const std::string& gate) {
  return std::filesystem::exists(gate);
}

awaitable<int> do_note(context& ctx, int number) {
  const noted_run run(ctx);
  run.end();
  co_return number;
}

awaitable<int> do_note_slowly(context& ctx, int number, int milliseconds) {
  const noted_run run(ctx);
  co_await sleep_for(std::chrono::milliseconds(milliseconds));
  run.end();
  co_return number;
}

awaitable<void> do_note_nothing(context& ctx, int) {
  const noted_run run(ctx);
  run.end();
  co_return;
}

int do_note_plain(context& ctx, int number) {
  const noted_run run(ctx);
  run.end();
  return number;
}

awaitable<std::string> do_wait_for_gate(context& ctx, std::string gate) {
  const noted_run run(ctx);
  while (!is_open(gate)) co_await sleep_for(look_again_after);
  run.end();
  co_return who(ctx);
}

awaitable<std::string> do_wait_stubbornly(context& ctx, std::string gate) {
  const noted_run run(ctx);
  while (!is_open(gate)) {
    try {
      co_await sleep_for(look_again_after);
    } catch (const std::exception&) {
      // Asked to stop, and unwilling to.
    }
    co_await boost::asio::this_coro::reset_cancellation_state();
  }
  run.end();
  co_return who(ctx);
}

std::string do_wait_on_thread(context& ctx, std::string gate) {
  const noted_run run(ctx);
  while (!is_open(gate)) {
    if (ctx.stop_token().stop_requested()) throw std::runtime_error("asked to stop");
    std::this_thread::sleep_for(look_again_after);
  }
  run.end();
  return who(ctx);
}

std::string do_wait_deaf(context& ctx, std::string gate) {
  const noted_run run(ctx);
  while (!is_open(gate)) std::this_thread::sleep_for(look_again_after);
  run.end();
  return who(ctx);
}

awaitable<std::string> do_block(context& ctx, std::string gate) {
  const noted_run run(ctx);
  const auto begun = gate + ".begun";
  const bool blocks = !is_open(begun);
  std::ofstream(begun).flush();
  while (blocks && !is_open(gate)) std::this_thread::sleep_for(look_again_after);
  run.end();
  co_return who(ctx);
}

awaitable<std::string> do_throw_it(context& ctx, std::string message) {
  const noted_run run(ctx);
  if (!fixed) throw std::runtime_error(message);
  run.end();
  co_return message;
}

void end_process(const std::string& how) {
  if (how == "segv") std::raise(SIGSEGV);
  if (how == "abort") std::abort();
  if (how == "exit") std::_Exit(3);
  if (how == "kill") ::kill(getpid(), SIGKILL);
  throw std::invalid_argument("crash: segv, abort, exit or kill, not " + how);
}

awaitable<std::string> do_crash(context& ctx, std::string how) {
  const noted_run run(ctx);
  if (!fixed) end_process(how);
  run.end();
  co_return how;
}

awaitable<int> do_crash_then_await(context& ctx, int number) {
  const noted_run run(ctx);
  if (ctx.losses() < 2) end_process("kill");
  const auto child = co_await ctx.enqueue(note(number));
  const int noted = co_await child.result();
  run.end();
  co_return noted;
}

// A hook that blocks the loop until the gate is open.
awaitable<void> block_loop(std::string gate) {
  while (!is_open(gate)) std::this_thread::sleep_for(look_again_after);
  co_return;
}

void add_hooks(worker& w) {
  if (const char* gate = std::getenv("QUARQ_TEST_BLOCK_STARTUP"))
    w.on_startup([gate](context&) { return block_loop(gate); });
  if (const char* gate = std::getenv("QUARQ_TEST_BLOCK_SHUTDOWN"))
    w.on_shutdown([gate](context&) { return block_loop(gate); });
}

void add_handlers(worker& w) {
  w.handle(note, do_note);
  w.handle(note_slowly, do_note_slowly);
  w.handle(note_nothing, do_note_nothing);
  w.handle(note_plain, do_note_plain);
  w.handle(wait_for_gate, do_wait_for_gate);
  w.handle(wait_stubbornly, do_wait_stubbornly);
  w.handle(wait_on_thread, do_wait_on_thread);
  w.handle(wait_deaf, do_wait_deaf);
  w.handle(block, do_block);
  w.handle(block_too_long, do_block, {.timeout = 1s});
  w.handle(throw_it, do_throw_it);
  w.handle(crash, do_crash);
  w.handle(crash_then_await, do_crash_then_await);
  if (fixed) {
    w.handle(new_task, [](int number) { return number; });
    w.handle(typed_fixed, [](const std::string& text) { return static_cast<int>(text.size()); });
  } else {
    w.handle(typed, [](int number) { return number; });
  }
}

}  // namespace
}  // namespace quarq::test

int main(int argc, char** argv) {
  using namespace quarq::test;
  die_with_parent();
  if (const char* path = std::getenv("QUARQ_TEST_HISTORY")) book = std::make_unique<history_writer>(path);
  fixed = std::getenv("QUARQ_TEST_FIXED") != nullptr;
  quarq::worker worker;
  if (const char* ms = std::getenv("QUARQ_TEST_STOP_WAIT_MS")) {
    worker.options().cancel_timeout = std::chrono::milliseconds(std::stol(ms));
  }
  add_handlers(worker);
  add_hooks(worker);
  return worker.main(argc, argv);
}
