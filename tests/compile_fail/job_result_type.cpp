// expect: conversion from
// expect: job_result_type.cpp
// only: g++ before 12.3
//
// A result of another type than the task's: the compiler's own words suffice, since they name both types and
// the line.
#include <string>

#include <quarq/queue.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words"};

quarq::awaitable<void> compiles(quarq::queue words) {
  const auto job = co_await words.enqueue(count_words("http://127.0.0.1/"));
  const int count = co_await job.result();
  static_cast<void>(count);
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(quarq::queue words) {
  const auto job = co_await words.enqueue(count_words("http://127.0.0.1/"));
  const std::string count = co_await job.result();
  static_cast<void>(count);
}
#endif
