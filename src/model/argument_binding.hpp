// Binds arguments given by name to a task's parameters: what Python's clients send as f(1, depth=2).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "model/record.hpp"

namespace quarq::model {

/// The parameters of a task: how many, and their names if it was declared with them.
struct parameters {
  std::size_t count = 0;
  std::span<const std::string> names;
};

/// All arguments of the record as one msgpack array in the order of the parameters, of which those given by
/// position are the first. Throws decode_error that names the task and the parameter:
///     count_words: argument 1 (url) is given twice: by position and by name
///     count_words: argument 2 (depth) is missing
///     count_words: there is no parameter "deep"; it has url, depth
std::string bind_arguments(const record& r, parameters declared);

}  // namespace quarq::model
