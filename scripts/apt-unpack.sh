# Unpacks packages of Debian 12's backports, with all they depend on that this machine lacks, into a
# folder: for programs that Debian itself has only in a version without what the tests are about.
# Nothing is installed, and root is not needed: apt reads lists of its own, and looks at what is
# installed only to leave that out. Usage: apt-unpack.sh FOLDER PACKAGE…
set -e
folder=$1
shift
. /etc/os-release
if [ "$VERSION_CODENAME" != bookworm ]; then
  echo "only Debian 12 has these in its backports" >&2
  exit 1
fi
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
  sed -n 's/^bookworm //p' | head -n 1)
if [ -z "$mirror" ]; then
  echo "the sources of apt name no mirror of Debian 12" >&2
  exit 1
fi
mkdir -p "$(dirname "$folder")"
new=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$new/lists/partial" "$new/archives/partial" "$new/sources" "$new/root"
for suite in bookworm bookworm-backports; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done >"$new/sources/debian.list"

apt() {
  apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$new/sources" \
    -o Dir::State::Lists="$new/lists" -o Dir::Cache="$new" -o APT::Sandbox::User= \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
apt update
# What is here in another version has that in brackets after its name, and will do as it is.
wanted=$(apt install --simulate --no-install-recommends -t bookworm-backports "$@" |
  sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p')
(cd "$new/archives" && apt download $wanted)
for archive in "$new"/archives/*.deb; do dpkg-deb --extract "$archive" "$new/root"; done
rm -rf "$folder"
mv -T "$new/root" "$folder"
