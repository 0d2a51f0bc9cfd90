// Settings: environment, .env, files with secrets; each error says where its value came from.
#include <gtest/gtest.h>

#include <quarq/settings.hpp>

#include "support/temp_dir.hpp"
#include "unit/validation/models_of_tests.hpp"
#include "validation/dotenv.hpp"

namespace quarq::validation_tests {
namespace settings_tests {

struct database {
  std::string host = "localhost";
  int port = 5432;
};
BOOST_DESCRIBE_STRUCT(database, (), (host, port))
QUARQ_MODEL(database, all_defaulted, field(&database::port).range(1, 65535))

struct config {
  int port = 8080;
  bool verbose = false;
  std::vector<std::string> hosts;
  std::chrono::milliseconds wait{100};
  secret<std::string> api_key;
  database db;
};
BOOST_DESCRIBE_STRUCT(config, (), (port, verbose, hosts, wait, api_key, db))
QUARQ_MODEL(config, field(&config::port).range(1, 65535).defaulted(), field(&config::verbose).defaulted(),
            field(&config::hosts).defaulted(),
            field(&config::wait).at_least(std::chrono::milliseconds(1)).defaulted(),
            field(&config::api_key).length(4), field(&config::db).defaulted())

std::vector<std::string> errors_of(const settings_sources& from) {
  std::vector<std::string> lines;
  try {
    settings<config>::load(from);
  } catch (const validation_error& e) {
    for (const auto& error : e.errors()) lines.push_back(to_string(error));
  }
  return lines;
}

TEST(model_settings, come_from_the_environment) {
  const auto made = settings<config>::load({.prefix = "APP_",
                                            .env_file = "",
                                            .environment = {{{"APP_PORT", "90"},
                                                             {"APP_VERBOSE", "yes"},
                                                             {"APP_HOSTS", "a, b"},
                                                             {"APP_WAIT", "2s"},
                                                             {"APP_API_KEY", "hunter2"},
                                                             {"APP_DB__PORT", "1"},
                                                             {"PORT", "1"}}}});
  EXPECT_EQ(made.port, 90);
  EXPECT_TRUE(made.verbose);
  EXPECT_EQ(made.hosts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(made.wait, std::chrono::seconds(2));
  EXPECT_EQ(made.api_key.expose(), "hunter2");
  EXPECT_EQ(made.db.port, 1);
  EXPECT_EQ(made.db.host, "localhost");
}

TEST(model_settings, a_file_gives_what_the_environment_does_not) {
  const test::temp_dir folder;
  folder.write(".env",
               "# our settings\nexport PORT=1234\nHOSTS='[\"x\", \"y\"]'  # two\nAPI_KEY=\"a\\\"bc\"\n");
  const auto made = settings<config>::load({.env_file = folder / ".env", .environment = {{{"PORT", "9"}}}});
  EXPECT_EQ(made.port, 9);
  EXPECT_EQ(made.hosts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(made.api_key.expose(), "a\"bc");
}

TEST(model_settings, a_secret_may_be_in_a_file_of_its_own) {
  const test::temp_dir folder;
  const std::string path = folder.write("key", "hunter2\n");
  EXPECT_EQ(
      settings<config>::load({.env_file = "", .environment = {{{"API_KEY_FILE", path}}}}).api_key.expose(),
      "hunter2");
  EXPECT_EQ(errors_of({.env_file = "", .environment = {{{"API_KEY_FILE", "/nonexistent"}}}}),
            (std::vector<std::string>{
                "api_key: File can't be read: No such file or directory (from file /nonexistent)"}));
}

TEST(model_settings, each_error_has_its_source_and_none_a_value) {
  const test::temp_dir folder;
  folder.write(".env", "VERBOSE=perhaps\nthis is no setting\nWAIT=0\n");
  const std::string file = folder / ".env";
  EXPECT_EQ(
      errors_of({.prefix = "", .env_file = file, .environment = {{{"PORT", "x"}, {"DB__PORT", "0"}}}}),
      (std::vector<std::string>{
          "Line 2 should be NAME=VALUE (from " + file + " line 2)",
          "port: Input should be a valid integer, unable to parse string as an integer (from environment "
          "PORT)",
          "verbose: Input should be a valid boolean, unable to interpret input (from " + file + " line 1)",
          "wait: Input should be greater than or equal to 1000000 (from " + file + " line 3)",
          "db.port: Input should be greater than or equal to 1 (from environment DB__PORT)",
          "api_key: Field required (from environment API_KEY)"}));
}

TEST(model_settings, a_secret_is_in_no_error) {
  const std::string text = "hunter2";
  for (const auto& line : errors_of({.env_file = "", .environment = {{{"API_KEY", "abc"}, {"PORT", text}}}}))
    EXPECT_EQ(line.find(text), std::string::npos) << line;
}

}  // namespace settings_tests
}  // namespace quarq::validation_tests
