// `quarq dashboard` in Chromium: dashboard/browser.mjs says what it does there.
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "support/broker_fixtures.hpp"
#include "support/command.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::dashboard_interop {
namespace {

using namespace std::chrono_literals;

struct account {
  std::string name, password;
  std::uint64_t big = 0;
};
BOOST_DESCRIBE_STRUCT(account, (), (name, password, big))

constexpr const char* evil_task = "<img src=x onerror=\"window.hacked=1\">";
inline const task<void(std::string)> greet{"greet"};
inline const task<void(std::string)> evil{evil_task};
inline const task<void(std::int64_t, account)> count{"count"};
inline const task<void()> later{"later"};
inline const task<void()> talk{"talk"};  // until it is cancelled

void add_handlers(worker& w) {
  const auto twice_at_once = backoff::constant(0ms).attempts(2);
  w.handle(greet, [](std::string whom) { throw std::runtime_error("no greeting for " + whom); },
           {.retry = twice_at_once});
  const auto dies = [](context& ctx, std::string) {
    ctx.log("<script>window.hacked=1</script>");
    ctx.progress(30, 40);
    throw std::runtime_error("<svg onload='window.hacked=1'>");
  };
  w.handle(evil, dies, {.retry = twice_at_once});
}

// Seven dead jobs in mail, which is paused afterwards; numbers and a password in exact; jobs that wait in idle.
awaitable<void> fill(std::string url) {
  queue mail(url, "mail"), exact(url, "exact"), idle(url, "idle");
  for (int i = 0; i < 6; ++i) {
    auto sent = mail.enqueue(greet(std::to_string(i)));
    co_await std::move(sent);
  }
  auto hostile = mail.enqueue(evil("</script><script>window.hacked=1</script>"));
  co_await std::move(hostile);
  const account ann{"ann", "hunter2", 18'446'744'073'709'551'615U};
  auto numbers = exact.enqueue(count(9'007'199'254'740'993, ann));
  co_await std::move(numbers);
  for (int i = 0; i < 3; ++i) {
    auto sent = idle.enqueue(later().delay(1h));
    co_await std::move(sent);
  }
  queue nightly(url, "nightly");
  auto talks = nightly.enqueue(talk().id("talks"));
  co_await std::move(talks);
}

void let_them_die(const std::string& url) {
  worker_options o;
  o.broker = url;
  o.queues = {served_queue{"mail"}};
  o.burst = o.burst_includes_deferred = true;
  worker w(o);
  add_handlers(w);
  run_on_loop(w.run());
}

// Serves a queue of its own, with a cron job.
class background_worker {
 public:
  explicit background_worker(const std::string& url) : worker_(options(url)) {
    worker_.cron("nightly", [] {}, "30 3 * * *");
    worker_.handle(talk, [](context& ctx) -> awaitable<void> {
      for (std::uint64_t i = 1;; ++i) {
        ctx.log("line " + std::to_string(i));
        ctx.progress(i, 0);
        co_await sleep_for(100ms);
      }
    });
    thread_ = std::thread([this] { run(worker_.run()); });
  }
  ~background_worker() {
    worker_.stop();
    worker_.stop();
    thread_.join();
  }

 private:
  static worker_options options(const std::string& url) {
    worker_options o;
    o.broker = url;
    o.queues = {served_queue{"nightly"}};
    return o;
  }
  worker worker_;
  std::thread thread_;
};

std::string first_in_path(const std::string& name) {
  const auto found = run_command({"/bin/sh", "-c", "command -v " + name});
  return found.out.substr(0, found.out.find('\n'));
}

void skip_or_fail(const std::string& why) {
  if (std::getenv("CI") != nullptr) FAIL() << why;
  GTEST_SKIP() << why;
}

TEST(dashboard_browser, both_roles_do_all_that_they_may) {
  const std::string peers = QUARQ_TEST_SOURCE_DIR "/../build/node-peers/node_modules";
  const std::string playwright = peers + "/playwright-core";
  const auto node = first_in_path("node"), chromium = first_in_path("chromium");
  if (node.empty() || chromium.empty()) return skip_or_fail("node or chromium is missing");
  if (!std::filesystem::exists(playwright)) return skip_or_fail("build/node-peers is missing");
  if (!std::filesystem::exists(peers + "/axe-core"))
    return skip_or_fail("axe-core is missing in build/node-peers");
  base::set_log_level("off");
  const auto& kinds = broker_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [](const auto& k) { return k.name == "redis"; });
  const auto place = kind->make();
  run_on_loop(fill(place->url()));
  let_them_die(place->url());
  run_on_loop([&]() -> awaitable<void> {
    queue mail(place->url(), "mail");
    co_await mail.pause();
  });
  const background_worker nightly(place->url());
  const process pages({QUARQ_TEST_BIN_DIR "/quarq", "dashboard", "--broker", place->url(), "--listen",
                       "127.0.0.1:0", "--prefix", "/ops", "--token", "operators", "--viewer-token",
                       "viewers"});
  ASSERT_TRUE(eventually([&] { return !pages.lines().empty(); }, default_timeout)) << pages.log();
  const auto line = pages.lines().front();
  const auto url = line.substr(line.find("http://"));
  const char* const photos = std::getenv("QUARQ_TEST_SCREENSHOTS");
  std::vector<std::string> words{node,       QUARQ_TEST_SOURCE_DIR "/interop/dashboard/browser.mjs",
                                 playwright, chromium,
                                 url,        "operators",
                                 "viewers"};
  if (photos != nullptr) words.emplace_back(photos);
  const temp_dir home;
  command_options how;
  how.environment = {"HOME=" + home.path().string()};
  const auto done = run_command(words, how, 280s);
  EXPECT_EQ(done.exit_code, 0) << tail(done.out) << '\n' << tail(done.err) << '\n' << tail(pages.log());
}

}  // namespace
}  // namespace quarq::test::dashboard_interop
