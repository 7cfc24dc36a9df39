# Started beside the servers of a test, as their user, with their folder. Waits until its standard
# input ends, which it does at the latest when the test's process does, killed or not; then ends
# every process that works in the folder, and removes it.
read -r _
while :; do
  working=$(find /proc -mindepth 2 -maxdepth 2 -name cwd \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null |
    cut -d / -f 3)
  [ -n "$working" ] || break
  kill -KILL $working 2>/dev/null
done
# A Postgres that was killed leaves a few bytes of shared memory; this says which.
if [ -f "$1/data/postmaster.pid" ]; then
  ipcrm -m "$(sed -n '7s/.* //p' "$1/data/postmaster.pid")"
fi
rm -rf "$1"
