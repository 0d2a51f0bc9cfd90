// What tools/check_words finds. "flagged:" and a term: this line has a retired word. Lines without it have none.
struct loop_link {};             // flagged: loop_handle
int open_loop_links = 0;         // flagged: loop_handle
void my_loop_link_ends() {}      // flagged: loop_handle
void keeper_ends();              // flagged: process_supervisor
int keepers_;                    // flagged: process_supervisor
void KeepersAreNotOurs();        // other case: not our name
void bookkeeper();               // part of a word
int handoff = 0;                 // flagged: completion
const char* text = "a handoff";  // flagged: completion
// A lighthouse has a keeper, who is a sleeper by day: English words, in a comment.
// The house of loops. flagged: codebase
// It has a seat belt. flagged: check for temporaries
const char* keeper_of_text = R"(keeper)";  // flagged: process_supervisor
const char* of_text = "a keeper in a string";
int told_client = 0;  // flagged: notified
const char* rows = "SELECT id FROM quarq_told";
const char* key = "quarq:cards";
const char* other = "quarq:card";  // flagged: worker_info
