// expect: quarq: this quarq was built with Boost
// A program that is compiled with another Boost than the library.
#include <boost/version.hpp>

#ifdef MUST_FAIL
#undef BOOST_VERSION
#define BOOST_VERSION 108000
#endif

#include <quarq/awaitable.hpp>
