// OpenTelemetry's environment variables
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <quarq/otlp.hpp>

#include "otlp/json.hpp"

namespace quarq::otlp {

struct environment {
  std::function<const char*(const char* name)> variable;  ///< null: it is not set
  std::function<void(const std::string&)> warn;           ///< told what can't be read, without values
  std::string program = {};                               ///< its name
};
environment environment_of_this_program();

otlp_options options_from(const environment& e);
/// OTEL_SDK_DISABLED.
bool is_disabled(const environment& e);

/// Where requests are sent. Throws usage_error for what is no URL of http or https.
std::string url_of(const otlp_options& options);

/// What names the program and the library: service.name, process.pid, telemetry.sdk.* and the options' own.
std::vector<named_text> resource_of(const otlp_options& options, const environment& e);

}  // namespace quarq::otlp
