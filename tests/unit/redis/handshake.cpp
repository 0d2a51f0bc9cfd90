#include "redis/handshake.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "redis/script.hpp"
#include "unit/redis/replies.hpp"

namespace quarq::redis {
namespace {

const reply ok = text("OK");

TEST(redis_handshake, sends_only_what_is_needed) {
  EXPECT_EQ(commands_in(handshake({}, {}).bytes()), "HELLO 3 | CLIENT SETNAME quarq");
}

TEST(redis_handshake, sends_user_database_and_channels) {
  connection_options o;
  o.username = "worker";
  o.password = "hunter2";
  o.database = 4;
  EXPECT_EQ(commands_in(handshake(o, {"c1", "c2"}).bytes()),
            "HELLO 3 AUTH worker hunter2 | SELECT 4 | CLIENT SETNAME quarq | SUBSCRIBE c1 | SUBSCRIBE c2");
}

TEST(redis_handshake, a_password_alone_belongs_to_the_default_user) {
  connection_options o;
  o.password = "hunter2";
  EXPECT_EQ(commands_in(handshake(o, {}).bytes()), "HELLO 3 AUTH default hunter2 | CLIENT SETNAME quarq");
}

TEST(redis_handshake, is_done_with_the_last_reply) {
  handshake setup({}, {"c"});
  EXPECT_EQ(setup.take(ok), handshake_result::more);
  EXPECT_EQ(setup.take(error_reply("NOPERM no permission to set a name")), handshake_result::more);
  EXPECT_EQ(setup.take(push("subscribe")), handshake_result::done);
}

TEST(redis_handshake, a_refusal_differs_from_a_server_that_is_not_ready) {
  handshake refused({}, {});
  EXPECT_EQ(refused.take(error_reply("NOAUTH Authentication required.")), handshake_result::refused);
  EXPECT_EQ(refused.error(),
            "HELLO was refused: NOAUTH: it wants a password: write redis://:PASSWORD@HOST or "
            "redis://USER:PASSWORD@HOST");
  handshake wrong({}, {});
  EXPECT_EQ(wrong.take(error_reply("WRONGPASS invalid username-password pair or user is disabled.")),
            handshake_result::refused);
  EXPECT_EQ(wrong.error(),
            "HELLO was refused: WRONGPASS: it does not accept the user and password of the URL (in a URL, "
            "@ / ? # % are written as %40 %2F %3F %23 %25)");
  connection_options other_database;
  other_database.database = 4;
  handshake loading(other_database, {});
  EXPECT_EQ(loading.take(ok), handshake_result::more);
  EXPECT_EQ(loading.take(error_reply("LOADING Redis is loading the dataset in memory")),
            handshake_result::not_ready);
}

TEST(redis_handshake, a_refusal_shows_no_password) {
  connection_options o;
  o.password = "hunter2";
  handshake echoed(o, {});
  echoed.take(
      error_reply("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hunt"));
  EXPECT_EQ(echoed.error(), "HELLO was refused: ERR unknown command 'HELLO'");
  handshake named(o, {});
  named.take(error_reply("ERR hunter2 is wrong, hunter2"));
  EXPECT_EQ(named.error(), "HELLO was refused: ERR *** is wrong, ***");
}

connection_options by_sentinels() {
  connection_options o;
  o.sentinel.hosts.push_back({"sentinel", "26379"});
  return o;
}

TEST(redis_handshake, the_server_that_sentinels_name_must_be_a_master) {
  EXPECT_EQ(commands_in(handshake(by_sentinels(), {}).bytes()), "HELLO 3 | ROLE | CLIENT SETNAME quarq");
  handshake master(by_sentinels(), {});
  master.take(ok);
  EXPECT_EQ(master.take(role("master")), handshake_result::more);
  EXPECT_EQ(master.take(ok), handshake_result::done);
  handshake replica(by_sentinels(), {});
  replica.take(ok);
  EXPECT_EQ(replica.take(role("slave")), handshake_result::not_ready);
  EXPECT_EQ(replica.error(), "it is a replica, not the master");
}

TEST(redis_handshake, a_user_without_permission_to_ask_for_the_role_may_connect) {
  handshake setup(by_sentinels(), {});
  setup.take(ok);
  EXPECT_EQ(setup.take(error_reply("NOPERM this user has no permissions to run the 'role' command")),
            handshake_result::more);
}

TEST(redis_handshake, a_reply_of_the_wrong_kind_is_an_error) {
  handshake a({}, {});
  EXPECT_THROW(a.take(push("subscribe")), protocol_error);
  handshake b({}, {"c"});
  b.take(ok);
  b.take(ok);
  EXPECT_THROW(b.take(ok), protocol_error);
}

TEST(redis_handshake, errors_are_classified_by_their_code) {
  using c = error_class;
  const std::vector<std::pair<const char*, c>> cases{
      {"ERR unknown command 'FOO'", c::ordinary},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", c::ordinary},
      {"LOADINGX", c::ordinary},
      {"ERR LOADING is not at the start", c::ordinary},
      {"LOADING Redis is loading the dataset in memory", c::not_ready},
      {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", c::not_ready},
      {"READONLY You can't write against a read only replica.", c::not_ready},
      {"NOREPLICAS Not enough good replicas to write.", c::not_ready},
      {"BUSY Redis is busy running a script.", c::not_ready},
      {"ERR max number of clients reached", c::not_ready},
      {"ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write against a replica.",
       c::not_ready},
      {"NOSCRIPT No matching script. Please use EVAL.", c::no_script},
      {"ERR Error running script (call to f_1): @user_script:1: -NOREPLICAS Not enough good replicas to "
       "write.",
       c::not_ready},
      {"WRONGPASS invalid username-password pair or user is disabled.", c::ordinary},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(classify_error(text), expected) << text;
}

TEST(redis_handshake, errors_say_whether_the_server_is_full_or_refuses_the_request) {
  using r = broker_error::reason;
  const std::vector<std::pair<const char*, r>> cases{
      {"OOM command not allowed when used memory > 'maxmemory'. script: f_1", r::full},
      {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist.", r::full},
      {"ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed when used memory.",
       r::full},
      {"ERR Protocol error: invalid bulk length", r::refused},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", r::refused},
      {"NOPERM User worker has no permissions to run the 'evalsha' command", r::unknown},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(reason_of(text), expected) << text;
}

TEST(redis_script, knows_its_sha1) {
  EXPECT_EQ(script("return 1").sha1, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  EXPECT_EQ(script("").sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

}  // namespace
}  // namespace quarq::redis
