// A program's settings: a model that is filled from the environment, a .env file and files with secrets.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/model.hpp>

namespace quarq {

/// Where settings come from.
struct settings_sources {
  /// What the names of variables begin with: with "APP_" the member `port` is APP_PORT. Names are the members' (or their
  /// alias), in capitals; members of a nested struct come after two underscores: APP_DATABASE__HOST.
  std::string prefix = {};
  /// A file of lines NAME=value, as docker and others read it. It need not exist. Variables of the environment win.
  std::string env_file = ".env";
  /// The environment to read; by default the program's own.
  std::optional<std::map<std::string, std::string>> environment = {};
};

namespace validation {
std::vector<model_error> read_settings(const object_type& what, void* target, const settings_sources& from);
}

/// The settings of a program:
///     struct my_settings { std::string host = "localhost"; int port = 8080; quarq::secret<std::string> api_key; };
///     BOOST_DESCRIBE_STRUCT(my_settings, (), (host, port, api_key))
///     QUARQ_MODEL(my_settings, field(&my_settings::host).defaulted(), field(&my_settings::port).range(1, 65535)
///                 .defaulted())
///     const auto config = quarq::settings<my_settings>::load({.prefix = "APP_"});
template <quarq::detail::described_struct T>
struct settings {
  /// Text is converted as in queries (docs/models.md); a list is JSON or has commas between its elements. For the
  /// variable NAME, NAME_FILE may name a file that holds the value, such as a secret that an orchestrator mounted; a
  /// line break at its end does not count. Throws validation_error with all errors, each with its source: "environment
  /// APP_PORT", ".env line 3", "file /run/secrets/key". No error shows a value. Thread safety: reads the environment,
  /// which no other thread may change meanwhile.
  static T load(const settings_sources& from = {}) {
    T value{};
    validation::throw_if_any(validation::type_of<T>::value,
                             validation::read_settings(validation::type_of<T>::value, &value, from));
    return value;
  }
};

}  // namespace quarq
