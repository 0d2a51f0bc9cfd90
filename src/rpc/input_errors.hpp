// What is wrong with the arguments of a call, for the programs that sent them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <quarq/errors.hpp>

namespace quarq::rpc {

struct input_error {
  std::string kind;  ///< "string_type", "missing": pydantic's names where the meaning is the same
  std::vector<std::variant<std::int64_t, std::string>> path;  ///< names and indices, from the arguments on
  std::string message;                                        ///< "expected string, got integer"
};

/// All that a decode_error says. It is the only place that knows how errors of decoding become answers.
std::vector<input_error> input_errors_of(const decode_error& e, std::string_view task);

}  // namespace quarq::rpc
