// quarq top, on a terminal and without one.
#include <csignal>

#include "integration/cli_test.hpp"
#include "support/redis_server.hpp"
#include "support/terminal.hpp"

namespace quarq::test::cli_top_tests {
namespace {

using namespace cli_tests;

on_terminal::options on_page(const std::string& url, std::size_t rows = 24, std::size_t columns = 160) {
  on_terminal::options how;
  how.rows = rows;
  how.columns = columns;
  how.environment = {"TERM=xterm", "QUARQ_BROKER=" + url};
  return how;
}

const strings top_command = {quarq_path, "top"};

void expect_given_back(on_terminal& by) {
  EXPECT_FALSE(by.page().is_other_page());
  EXPECT_TRUE(by.page().has_cursor());
  EXPECT_TRUE(by.is_usual());
}

void expect_ends_well(on_terminal& by) {
  const auto end = by.wait();
  ASSERT_TRUE(end.has_value()) << by.page().text();
  EXPECT_EQ(end->code, 0) << by.output();
  expect_given_back(by);
  EXPECT_EQ(by.page().unknown(), strings());
}

/// The line of the page that begins so, without the mark of the chosen one.
std::string line_with(on_terminal& by, const std::string& begin) {
  for (auto line : lines_of(by.page().text())) {
    if (line.starts_with("> ") || line.starts_with("  ")) line.erase(0, line.find_first_not_of("> "));
    if (line.starts_with(begin)) return line;
  }
  return "";
}

class cli_top : public cli_test {
 protected:
  /// Runs the queued jobs of `greet`, which die of this.
  void kill_jobs(const std::string& why) const {
    auto o = options();
    o.burst = o.burst_includes_deferred = true;
    worker w(o);
    w.handle(greet, [&](std::string) { throw std::runtime_error(why); },
             {.retry = backoff::constant(std::chrono::milliseconds(1)).attempts(2)});
    run_on_loop(w.run());
  }
  strings in_queue(const std::string& queue, strings arguments) const {
    arguments.insert(arguments.end(), {"--queue", queue});
    return arguments;
  }
};

INSTANTIATE_TEST_SUITE_P(at, cli_top, testing::ValuesIn(cli_brokers()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(cli_top, shows_queues_workers_and_dead_jobs_by_their_errors) {
  for (int i = 0; i < 3; ++i) enqueued({"greet", "\"Ann\""});
  kill_jobs("no greeting for Ann");
  enqueued(in_queue("reports", {"add", "1", "2"}));
  on_terminal shown(top_command, on_page(url()));
  ASSERT_TRUE(shown.shows("no greeting for Ann")) << shown.page().text();
  EXPECT_TRUE(shown.page().is_other_page());
  EXPECT_FALSE(shown.is_usual());
  const auto text = shown.page().text();
  EXPECT_TRUE(text.starts_with("quarq top  ")) << text;
  EXPECT_NE(text.find("WAIT P50"), std::string::npos) << text;
  EXPECT_NE(text.find("   3  default  greet"), std::string::npos) << text;
  EXPECT_NE(line_with(shown, "default").find("0.6/min"), std::string::npos) << text;
  EXPECT_TRUE(line_with(shown, "reports").starts_with("reports       1")) << text;
  shown.type("q");
  expect_ends_well(shown);
}

TEST_P(cli_top, lists_queues_in_the_order_that_is_chosen) {
  enqueued(in_queue("aa", {"add", "1", "2"}));
  for (int i = 0; i < 2; ++i) enqueued(in_queue("bb", {"add", "1", "2"}));
  on_terminal shown(top_command, on_page(url()));
  ASSERT_TRUE(shown.shows("bb")) << shown.page().text();
  const auto come_first = [&](const char* one, const char* other) {
    const auto text = shown.page().text();
    return text.find(one) < text.find(other);
  };
  EXPECT_TRUE(come_first(" aa ", " bb "));
  shown.type("2");
  ASSERT_TRUE(shown.shows("(by queued)"));
  EXPECT_TRUE(come_first(" bb ", " aa ")) << shown.page().text();
  shown.type("\x1b[C");
  ASSERT_TRUE(shown.shows("(by oldest)"));
  EXPECT_TRUE(come_first(" aa ", " bb ")) << shown.page().text();
  ASSERT_TRUE(shown.shows("> aa"));
  shown.type("\x1b[B");
  ASSERT_TRUE(shown.shows("> bb")) << shown.page().text();
  shown.type("\x1bOA");
  ASSERT_TRUE(shown.shows("> aa")) << shown.page().text();
  shown.type("\x03");
  expect_ends_well(shown);
}

TEST_P(cli_top, pauses_a_queue_after_asking) {
  enqueued({"add", "1", "2"});
  on_terminal shown(top_command, on_page(url()));
  ASSERT_TRUE(shown.shows("> default"));
  shown.type("p");
  ASSERT_TRUE(shown.shows("Pause queue default? [y/N]"));
  shown.type("n");
  ASSERT_TRUE(shown.shows("q quit"));
  EXPECT_EQ(quarq_json({"queues"}).at(0).at("paused"), false);
  shown.type("p");
  ASSERT_TRUE(shown.shows("Pause queue default? [y/N]"));
  shown.type("y");
  ASSERT_TRUE(shown.shows("default: paused")) << shown.page().text();
  EXPECT_EQ(quarq_json({"queues"}).at(0).at("paused"), true);
  ASSERT_TRUE(shown.shows("STATUS")) << shown.page().text();
  shown.type("p");
  ASSERT_TRUE(shown.shows("Resume queue default? [y/N]")) << shown.page().text();
  shown.type("y");
  ASSERT_TRUE(shown.shows("default: resumed")) << shown.page().text();
  EXPECT_EQ(quarq_json({"queues"}).at(0).at("paused"), false);
  shown.type("q");
  expect_ends_well(shown);
}

TEST_P(cli_top, fits_into_whatever_room_there_is) {
  for (int i = 0; i < 30; ++i) enqueued(in_queue("queue" + std::to_string(i), {"add", "1", "2"}));
  on_terminal shown(top_command, on_page(url(), 24, 160));
  ASSERT_TRUE(shown.shows("ENQUEUED")) << shown.page().text();
  shown.resize(12, 40);
  ASSERT_TRUE(shown.hides("ENQUEUED")) << shown.page().text();
  ASSERT_TRUE(shown.shows("QUEUED")) << shown.page().text();
  ASSERT_TRUE(shown.shows("> queue0")) << shown.page().text();
  for (int i = 0; i < 29; ++i) shown.type("\x1b[B");
  ASSERT_TRUE(shown.shows("> queue9")) << shown.page().text();
  shown.resize(3, 8);
  ASSERT_TRUE(shown.hides("QUEUED ")) << shown.page().text();
  shown.resize(24, 160);
  ASSERT_TRUE(shown.shows("ENQUEUED")) << shown.page().text();
  ASSERT_TRUE(shown.shows("q quit  up/down choose")) << shown.page().text();
  shown.type("q");
  expect_ends_well(shown);
}

TEST_P(cli_top, text_of_jobs_does_not_drive_the_terminal) {
  enqueued({"greet", "\"Ann\""});
  kill_jobs("\x1b]0;owned\x07 \x1b[2J\x9b");
  on_terminal shown(top_command, on_page(url()));
  ASSERT_TRUE(shown.shows("\\u001b]")) << shown.page().text();
  shown.type("q");
  expect_ends_well(shown);
  EXPECT_EQ(shown.output().find("\x1b]"), std::string::npos);
  EXPECT_EQ(shown.output().find('\x07'), std::string::npos);
}

TEST_P(cli_top, gives_the_terminal_back_whatever_ends_it) {
  enqueued({"add", "1", "2"});
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    on_terminal shown(top_command, on_page(url()));
    ASSERT_TRUE(shown.shows("> default"));
    shown.signal(signal);
    expect_ends_well(shown);
  }
  on_terminal crashed(top_command, on_page(url()));
  ASSERT_TRUE(crashed.shows("> default"));
  crashed.signal(SIGABRT);
  const auto end = crashed.wait();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGABRT);
  expect_given_back(crashed);
}

TEST_P(cli_top, gives_the_terminal_back_while_it_is_stopped) {
  enqueued({"add", "1", "2"});
  on_terminal shown(top_command, on_page(url()));
  ASSERT_TRUE(shown.shows("> default"));
  shown.type("\x1a");
  ASSERT_TRUE(shown.wait_until_stopped());
  expect_given_back(shown);
  shown.signal(SIGCONT);
  ASSERT_TRUE(shown.shows("> default"));
  EXPECT_TRUE(shown.page().is_other_page());
  shown.type("q");
  expect_ends_well(shown);
}

TEST_P(cli_top, prints_one_picture_where_there_is_no_terminal) {
  enqueued({"greet", "\"Ann\""});
  kill_jobs("no greeting for Ann");
  const auto r = quarq({"top"});
  expect_good(r);
  EXPECT_TRUE(r.out.starts_with("quarq top  ")) << r.out;
  EXPECT_NE(r.out.find("   1  default  greet"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("std::runtime_error: no greeting for Ann"), std::string::npos) << r.out;
  EXPECT_EQ(r.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(r.out.find("q quit"), std::string::npos);
}

TEST(cli_top_outage, shows_what_was_there_and_that_the_broker_is_gone) {
  redis_server server({.appendonly = true});
  const auto job = run_command({quarq_path, "enqueue", "add", "1", "2", "--broker", server.url()});
  ASSERT_EQ(job.exit_code, 0) << job.err;
  on_terminal shown(top_command, on_page(server.url()));
  ASSERT_TRUE(shown.shows("> default"));
  server.kill();
  ASSERT_TRUE(shown.shows(server.endpoint() + ": ")) << shown.page().text();
  EXPECT_NE(shown.page().text().find("> default"), std::string::npos);
  server.restart();
  ASSERT_TRUE(shown.hides(server.endpoint() + ": ")) << shown.page().text();
  shown.type("q");
  expect_ends_well(shown);
}

TEST(cli_top_outage, without_a_terminal_is_an_error) {
  redis_server server;
  const auto url = server.url();
  server.kill();
  const auto r = run_command({quarq_path, "top", "--broker", url});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_TRUE(r.err.starts_with("quarq: ")) << r.err;
  EXPECT_EQ(r.out, "");
}

}  // namespace
}  // namespace quarq::test::cli_top_tests
