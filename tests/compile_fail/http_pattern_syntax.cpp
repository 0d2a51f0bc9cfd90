// expect: quarq_a_parameter_in_a_pattern_is_a_whole_segment_such_as_slash_name_in_braces
#include <string>

#include <quarq/http/server.hpp>

std::string get_user(int id);

void compiles(quarq::http::server& s) {
  s.get("/users/{id}", get_user);
}

#ifdef MUST_FAIL
void must_not(quarq::http::server& s) {
  s.get("/users/x{id}", get_user);
}
#endif
