// What functions say that return a coroutine.
#pragma once

#include <quarq/detail/at_least_cpp20.hpp>

/// Stands before functions that return an awaitable, so that a warning names what was forgotten:
/// `[[QUARQ_MUST_AWAIT]] awaitable<void> f();`
#define QUARQ_MUST_AWAIT \
  nodiscard("quarq: a coroutine runs only when it is awaited: write co_await before it")
