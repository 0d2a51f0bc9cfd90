// Wrong command lines, missing brokers, and help.
#include <filesystem>
#include <fstream>

#include "integration/cli_test.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::cli_tests {
namespace {

using namespace std::chrono_literals;

class cli_errors : public cli_test {};

INSTANTIATE_TEST_SUITE_P(at, cli_errors, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_errors, wrong_command_lines_are_refused_in_a_line) {
  const std::vector<std::pair<strings, std::string>> lines = {
      {{"frobnicate"},
       "\"frobnicate\" is not a command: expected queues, jobs, job, enqueue, cancel, requeue, purge, pause, "
       "resume, cron, workers, top, gateway, dashboard, help (see quarq --help)"},
      {{},
       "no command was given: expected queues, jobs, job, enqueue, cancel, requeue, purge, pause, resume, "
       "cron, workers, top, gateway, dashboard, help "
       "(see quarq --help)"},
      {{"jobs", "--frob"}, "The following argument was not expected: --frob (see quarq jobs --help)"},
      {{"job"}, "ID is required (see quarq job --help)"},
      {{"jobs", "--state", "ded"},
       "--state: expected queued, deferred, running, succeeded, failed, cancelled, expired or dead, got "
       "\"ded\" (see quarq jobs --help)"},
      {{"jobs", "--limit", "0"},
       "--limit: expected a whole number from 1 to 1000000, got \"0\" (see quarq jobs --help)"},
      {{"enqueue", "t", "1", "hello"},
       "argument 2 (hello): JSON, line 1, column 1: syntax error; a string needs its quotes: '\"text\"', or "
       "give --string (see quarq enqueue --help)"},
      {{"enqueue", "t", "{\"a\": 1,}"},
       "argument 1 ({\"a\": 1,}): JSON, line 1, column 9: syntax error; a string needs its quotes: "
       "'\"text\"', or give --string (see quarq enqueue --help)"},
      {{"enqueue", "t", "--delay", "5m"},
       "--delay: expected a duration like 10s, 5min, 1h30min, 250ms or 2d, got \"5m\" (see quarq enqueue "
       "--help)"},
      {{"enqueue", "t", "--at", "2030-01-31"},
       "--at: expected a time with its zone, like 2030-01-31T08:30:00Z or 2030-01-31T08:30+01:00, got "
       "\"2030-01-31\" (see quarq enqueue --help)"},
      {{"enqueue", "t", "--priority", "12"},
       "--priority: expected a whole number from 0 to 9, got \"12\" (see quarq enqueue --help)"},
      {{"queues", "--queue", "a b"},
       "queue name \"a b\": expected 1 to 100 characters without white space and braces (see quarq queues "
       "--help)"},
      {{"queues", "--broker", "http://x"},
       "\"http:\" is not a broker that is known: use sqlite:FILE, sqlite::memory:, redis://HOST, "
       "rediss://HOST, redis+unix://PATH or redis+sentinel://HOST,HOST; or arq://HOST, arqs://HOST, "
       "arq+unix://PATH, arq+sentinel://HOST,HOST for python-arq's jobs "
       "(see quarq queues --help)"},
  };
  for (const auto& [line, message] : lines) expect_error(quarq(line), 2, message);
}

TEST_P(cli_errors, a_reader_that_goes_away_changes_nothing_and_is_not_complained_about) {
  enqueued({"t", "--id", "a"});
  command_options unread;
  unread.output_closed = true;
  const auto r = quarq({"cancel", "a"}, unread);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(state_of("a"), "cancelled");
}

command_result quarq_alone(strings arguments, command_options options = {}) {
  arguments.insert(arguments.begin(), quarq_path);
  options.environment.push_back("QUARQ_BROKER");
  return run_command(std::move(arguments), std::move(options));
}

TEST(cli_alone, a_missing_file_is_an_error_and_is_not_made) {
  const temp_dir folder;
  command_options there;
  there.folder = folder.path();
  const strings commands[] = {{"queues"},
                              {"jobs"},
                              {"job", "a"},
                              {"workers"},
                              {"cancel", "a"},
                              {"resume", "q"},
                              {"requeue", "--all-dead"},
                              {"purge", "--state", "dead", "--yes"}};
  for (const auto& line : commands) {
    expect_error(quarq_alone(line, there), 1,
                 "no such file: jobs.db (--broker or QUARQ_BROKER say where the jobs are)");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  expect_good(quarq_alone({"enqueue", "t"}, there));
  EXPECT_TRUE(std::filesystem::exists(folder / "jobs.db"));
  expect_good(quarq_alone({"queues"}, there));
}

TEST(cli_alone, a_file_that_is_no_database_is_named) {
  const temp_dir folder;
  const std::string file = folder / "notes.txt";
  std::ofstream(file) << std::string(5000, 'x');
  const auto r = quarq_alone({"queues", "--broker", "sqlite:" + file});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_NE(r.err.find(file), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("not a database"), std::string::npos) << r.err;
  EXPECT_EQ(lines_of(r.err).size(), 1u) << r.err;
}

TEST(cli_alone, memory_is_refused_since_nothing_is_in_it) {
  expect_error(quarq_alone({"queues", "--broker", "sqlite::memory:"}), 2,
               "sqlite::memory: belongs to one process: a command would find nothing in it (see quarq queues "
               "--help)");
}

TEST(cli_alone, a_server_that_is_away_is_named_without_its_password) {
  redis_server server;
  const auto port = std::to_string(server.port());
  server.kill();
  const auto r = quarq_alone({"queues", "--broker", "redis://ann:hunter2@127.0.0.1:" + port});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_NE(r.err.find("127.0.0.1:" + port), std::string::npos) << r.err;
  EXPECT_EQ(r.err.find("hunter2"), std::string::npos) << r.err;
  EXPECT_EQ(lines_of(r.err).size(), 1u) << r.err;
}

TEST(cli_alone, output_that_can_not_be_written_is_an_error) {
  const auto r = run_command({"/bin/sh", "-c", quarq_path + " help > /dev/full"});
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.err, "quarq: can't write the output: No space left on device\n");
}

TEST(cli_alone, version_and_help) {
  const auto version = quarq_alone({"--version"});
  expect_good(version);
  EXPECT_TRUE(version.out.starts_with("quarq ")) << version.out;
  const auto help = quarq_alone({"help"});
  expect_good(help);
  EXPECT_EQ(help.out, quarq_alone({"--help"}).out);
  for (const auto* command :
       {"queues", "jobs", "job", "enqueue", "cancel", "requeue", "purge", "pause", "resume", "workers"}) {
    EXPECT_NE(help.out.find(std::string("\n  ") + command + " "), std::string::npos) << command;
    const auto about = quarq_alone({"help", command});
    expect_good(about);
    EXPECT_NE(about.out.find(std::string("Usage: quarq ") + command), std::string::npos) << about.out;
    EXPECT_EQ(about.out, quarq_alone({command, "--help"}).out);
  }
}

}  // namespace
}  // namespace quarq::test::cli_tests
