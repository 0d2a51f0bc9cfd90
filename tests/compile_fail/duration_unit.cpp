// expect: a duration's unit must not be finer than a nanosecond
#include <chrono>
#include <cstdint>

#include <quarq/codec.hpp>

void compiles() {
  quarq::to_msgpack(std::chrono::nanoseconds(1));
  quarq::to_msgpack(std::chrono::duration<std::int64_t, std::ratio<1, 60>>(1));
}

#ifdef MUST_FAIL
void must_not() {
  quarq::to_msgpack(std::chrono::duration<std::int64_t, std::pico>(1));
}
#endif
