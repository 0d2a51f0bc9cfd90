// expect: redeclared as different kind of entity
// only: g++ before 12.3
//
// POSIX has a function send(), which the headers declare: tasks belong into a namespace.
#include <string>

#include <quarq/queue.hpp>

namespace mails {
inline constexpr quarq::task<void(std::string to)> send{"send"};
}

#ifdef MUST_FAIL
inline constexpr quarq::task<void(std::string to)> send{"send"};
#endif
