// The text of an expected error.
#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <utility>

#include <quarq/awaitable.hpp>

namespace quarq::test {

/// The message of the E that `work` throws, or "(no error)". Any other exception passes through.
template <class E, std::invocable Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const E& error) {
    return error.what();
  }
  return "(no error)";
}

/// The same for what a coroutine throws; an error of another type is named as such.
template <class E, class T>
awaitable<std::string> error_of(awaitable<T> work) {
  std::string text = "(no error)";
  try {
    co_await std::move(work);
  } catch (const E& error) {
    text = error.what();
  } catch (const std::exception& other) {
    text = std::string("another type of error: ") + other.what();
  }
  co_return text;
}

}  // namespace quarq::test
